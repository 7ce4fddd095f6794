"""Functions over bytes."""

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.postgres.calls import Call, function
from ingot.semantic.sql.postgres.tree import call, case, error, not_, text


def _encoded(c: Call) -> exp.Expr:
    kind = c.said(1, "the format").lower()
    data = c.args[0]
    if kind == "hex":
        return call("lower", call("hex", data))
    if kind == "base64":
        return call(
            "rtrim",
            call("regexp_replace", call("base64", data), text("(.{76})"), text("\\1\n"), text("g")),
            text("\n"),
        )
    raise _unknown(kind, c.at)


function("encode", "bytea text -> text", _encoded)
function("convert_to", "text text -> bytea", lambda c: call("encode", c.args[0]))


def _decoded(c: Call) -> exp.Expr:
    kind = c.said(1, "the format").lower()
    bare = call("regexp_replace", c.args[0], text(r"\s"), text(""), text("g"))
    if kind == "hex":
        fits = call("regexp_matches", bare, text("^([0-9a-fA-F]{2})*$"))
        return case(
            (fits, call("unhex", bare.copy())),
            (not_(fits.copy()), error("22023", "invalid hexadecimal data")),
        )
    if kind == "base64":
        return call("from_base64", bare)
    raise _unknown(kind, c.at)


function("decode", "text text -> bytea", _decoded)


def _unknown(kind: str, at: exp.Expr) -> SqlError:
    return SqlError(f'unrecognized encoding: "{shown(kind)}"', at=at, sqlstate="22023")


def _read(c: Call) -> exp.Expr:
    kind = c.said(1, "the encoding").lower().replace("-", "").replace("_", "")
    if kind not in ("utf8", "unicode"):
        raise SqlError(f"Only UTF8 can be read here, not {shown(kind)}.", at=c.at, sqlstate="0A000")
    return call("decode", c.args[0])


function("convert_from", "bytea text -> text", _read)
function("sha256", "bytea -> bytea", lambda c: call("unhex", call("sha256", c.args[0])))
