"""Statements about the catalog, from PostgreSQL's SQL to that of the DuckDB in which the smaller catalog is kept."""

import re
from collections.abc import Mapping, Sequence

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from ingot.pgwire.catalog.reduced_tables import CATALOG, INFORMATION, MACROS
from ingot.pgwire.catalog.words import first_word
from ingot.pgwire.errors import PgError

HINT = "The catalog of a real PostgreSQL knows more: pip install 'ingot[sql]'."

_NAMES = {"regclass": "regclass", "regtype": "regtype", "regnamespace": "regnamespace"}
_TEXTS = {"name", "char", "text", "regproc", "regprocedure", "regrole", "regoper", "cstring"}
_ARRAY = re.compile(r"\{[0-9, ]*\}")
_WRITES = {
    "insert",
    "update",
    "delete",
    "truncate",
    "create",
    "drop",
    "alter",
    "grant",
    "revoke",
    "merge",
    "comment",
}
_OPEN = frozenset({
    "abs", "age", "any_value", "array", "array_agg", "array_length", "array_position", "array_to_string", "avg", "bool_and",
    "bool_or", "case", "cast", "ceil", "coalesce", "concat", "concat_ws", "count", "current_date", "current_timestamp",
    "date_part", "date_trunc", "exists", "extract", "floor", "generate_series", "greatest", "if", "initcap", "least",
    "left", "length", "list", "lower", "lpad", "ltrim", "max", "md5", "min", "mod", "now", "nullif", "position", "regexp_like",
    "regexp_matches", "regexp_replace", "repeat", "replace", "reverse", "right", "round", "row_number", "rpad", "rtrim",
    "split_part", "stddev", "str_position", "string_agg", "group_concat", "strpos", "substr", "substring", "sum", "to_char",
    "time_to_str", "translate", "trim", "trunc", "unnest", "explode", "upper", "random", "sqrt", "power", "pow", "and", "or", "xor",
    "timestamp_trunc", "exploding_generate_series", "json_object", "regexp_i_like", "regexp_ilike", "current_time", "localtimestamp", "localtime",
    "rank", "dense_rank", "lag", "lead", "first_value", "last_value",
})  # fmt: skip
"""Functions that mean the same in both, by PostgreSQL's name or that of sqlglot."""


def parsed(text: str) -> exp.Query | None:
    """The statement; None for an empty one. Raises `PgError` for what only PostgreSQL itself could answer."""
    word = first_word(text)
    if word in _WRITES:
        raise PgError(f"cannot execute {word.upper()} in a read-only transaction", sqlstate="25006")
    try:
        trees = [one for one in parse(text, read="postgres") if one is not None]
    except (SqlglotError, RecursionError) as error:
        said = getattr(error, "errors", None)
        detail = said[0]["description"] if said else str(error)
        raise PgError(f"syntax error: {detail}", sqlstate="42601") from error
    if not trees:
        return None
    if len(trees) > 1:
        raise PgError("cannot insert multiple commands into a prepared statement", sqlstate="42601")
    tree = trees[0]
    if isinstance(tree, exp.Values):
        tree = exp.select("*").from_(tree)
    if not isinstance(tree, exp.Query):
        raise PgError("the reduced catalog answers SELECT only", sqlstate="0A000")
    return tree


def rewritten(
    tree: exp.Query,
    *,
    user: str,
    database: str,
    version: str,
    settings: Mapping[str, str],
) -> str:
    """What DuckDB is asked. Raises `PgError`."""
    tree = tree.copy()
    _name(tree)
    own = {"user": user, "database": database, "version": version}
    for node in list(tree.walk(bfs=False)):
        if isinstance(node, exp.Collate):
            node.replace(node.this)
    for table in list(tree.find_all(exp.Table)):
        _table(table, tree)
    for node in reversed(list(tree.walk(bfs=False))):  # what stands inside first
        changed = _node(node, own, settings)
        if changed is not node:
            node.replace(changed)
    return tree.sql(dialect="duckdb")


def placeholders(tree: exp.Query) -> int:
    """How many parameters a statement has."""
    return max((int(one.name) for one in tree.find_all(exp.Parameter) if one.name.isdecimal()), default=0)


def filled(tree: exp.Query, values: Sequence[exp.Expr]) -> exp.Query:
    """With values in place of its parameters."""

    def put(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Parameter) and node.name.isdecimal():
            return values[int(node.name) - 1].copy()
        return node

    found = tree.copy().transform(put)
    assert isinstance(found, exp.Query)
    return found


def _table(table: exp.Table, tree: exp.Query) -> None:
    if isinstance(table.this, exp.Func):
        _function(table)
        return
    name, schema = table.name.lower(), table.db.lower()
    if not schema and any(name == cte.alias.lower() for cte in tree.find_all(exp.CTE)):
        return
    if schema == "pg_catalog" or (not schema and name.startswith("pg_")):
        table.set("db", exp.to_identifier(CATALOG))
    elif schema == "information_schema":
        table.set("db", exp.to_identifier(INFORMATION))
    else:
        full = f"{table.db}.{table.name}" if schema else table.name
        raise PgError(f'relation "{full}" does not exist', sqlstate="42P01")
    table.set("catalog", None)
    table.set("this", exp.to_identifier(name, quoted=True))
    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))


def _function(table: exp.Table) -> None:
    """A function in FROM: one that DuckDB has, or one that gives nothing."""
    alias = table.args.get("alias")
    name = table.this.name.lower() if isinstance(table.this, exp.Anonymous) else table.this.sql_name().lower()
    if name in _OPEN:
        table.set("db", None)
        if alias is not None and not alias.columns:
            alias.set("columns", [alias.this.copy()])  # the column is called as the table
        return
    if not name.startswith("pg_"):
        raise PgError(f"function {name} does not exist in the reduced catalog", sqlstate="42883", hint=HINT)
    names = (
        [one.name for one in alias.columns] if alias is not None and alias.columns else [table.alias or name]
    )
    nothing = exp.select(
        *(exp.alias_(exp.cast(exp.Null(), "BIGINT"), one, quoted=True) for one in names)
    ).where("false")
    table.replace(nothing.subquery(table.alias or name, copy=False))


def _node(node: exp.Expr, own: Mapping[str, str], settings: Mapping[str, str]) -> exp.Expr:  # noqa: PLR0911 (one case a form)
    if isinstance(node, exp.Column) and node.args.get("db") is not None:
        return exp.column(node.this.copy(), node.args["table"].copy())
    if isinstance(node, exp.Dot) and node.this.name.lower() == "pg_catalog":
        inside: exp.Expr = node.expression
        return inside
    if isinstance(node, exp.Column) and not node.table and not node.this.quoted:
        return _word(node, own)
    if isinstance(node, exp.Cast):
        return _cast(node)
    if isinstance(node, exp.Literal) and node.is_string and _ARRAY.fullmatch(node.this):
        return exp.Literal.string(f"[{node.this[1:-1]}]")
    if isinstance(node, exp.Operator):
        return exp.RegexpLike(this=node.this, expression=node.expression)
    if isinstance(node, exp.Func) and not isinstance(node, exp.Binary | exp.Case | exp.Unnest):
        return _call(node, own, settings)
    return node


def _word(node: exp.Column, own: Mapping[str, str]) -> exp.Expr:
    match node.name.lower():
        case "current_user" | "session_user" | "user" | "current_role":
            return exp.Literal.string(own["user"])
        case "current_catalog":
            return exp.Literal.string(own["database"])
        case "current_schema":
            return exp.Literal.string("public")
        case _:
            return node


def _cast(node: exp.Cast) -> exp.Expr:  # noqa: PLR0911 (one case a form)
    to = node.to
    kind = (to.args.get("kind") or to.this) if isinstance(to, exp.DataType) else to
    name = (kind.name if isinstance(kind, exp.Expr) else getattr(kind, "value", str(kind))).lower().strip('"')
    name = name.rpartition(".")[2]
    inner = node.this
    if name in _NAMES:
        if isinstance(inner, exp.Literal) and inner.is_string:
            if inner.this.isdecimal():
                return exp.Literal.number(inner.this)
            short = inner.this.removeprefix("pg_catalog.")
            system = {
                "pg_class": 1259,
                "pg_constraint": 2606,
                "pg_namespace": 2615,
                "pg_database": 1262,
                "pg_type": 1247,
                "pg_proc": 1255,
            }
            if short in system:
                return exp.Literal.number(system[short])
            return exp.Anonymous(this=f"ingot_{name}", expressions=[inner])
        if name == "regtype":
            return exp.Anonymous(this="ingot_format_type", expressions=[inner, exp.Null()])
        return exp.Anonymous(this=f"ingot_{name}_name", expressions=[inner])
    if name in _TEXTS:
        return exp.cast(inner, "VARCHAR")
    if name in ("oid", "xid"):
        return exp.cast(inner, "BIGINT")
    return node


def _call(node: exp.Func, own: Mapping[str, str], settings: Mapping[str, str]) -> exp.Expr:  # noqa: PLR0911 (one case a form)
    name = (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
    if name.startswith("ingot_"):
        return node
    if name in ("current_user", "session_user", "user", "getpgusername"):
        return exp.Literal.string(own["user"])
    if name in ("current_database", "current_catalog"):
        return exp.Literal.string(own["database"])
    if name == "current_schema":
        return exp.Literal.string("public")
    if name == "current_schemas":
        return exp.array(exp.Literal.string("pg_catalog"), exp.Literal.string("public"))
    if name in ("version", "current_version"):
        return exp.Literal.string(own["version"])
    given = list(node.iter_expressions())
    if name == "current_setting":
        key = given[0].name.lower() if given else ""
        return exp.Literal.string(settings[key]) if key in settings else exp.Null()
    if name == "set_config" and len(given) > 1:
        return given[1]
    if name in MACROS:
        return exp.Anonymous(this=f"ingot_{name}", expressions=given)
    if name in _OPEN or isinstance(node, exp.AggFunc | exp.Cast | exp.JSONObject):
        return node
    if name.startswith(("pg_", "has_", "inet_", "txid_", "col_", "obj_")) or name in (
        "to_regclass",
        "to_regtype",
    ):
        return exp.cast(exp.Null(), "VARCHAR")
    raise PgError(
        f"function {name} does not exist in the reduced catalog",
        sqlstate="42883",
        hint=HINT,
    )


def _name(tree: exp.Query) -> None:
    """Gives columns without a name the one that PostgreSQL would give them."""
    for select in tree.find_all(exp.Select):
        for one in list(select.expressions):
            if isinstance(one, exp.Alias):
                name = one.alias if one.args["alias"].quoted else one.alias.lower()
                one.set("alias", exp.to_identifier(name, quoted=True))
            elif not isinstance(one, exp.Star | exp.Column):
                one.replace(exp.alias_(one.copy(), _called(one), quoted=True))
            elif isinstance(one, exp.Column) and one.args.get("db") is not None:
                one.replace(exp.alias_(one.copy(), one.name, quoted=True))
            elif isinstance(one, exp.Column) and one.name.lower() in (
                "current_user",
                "session_user",
                "current_catalog",
                "user",
            ):
                one.replace(exp.alias_(one.copy(), one.name.lower(), quoted=True))


def _called(node: exp.Expr) -> str:  # noqa: PLR0911 (one case a form)
    if isinstance(node, exp.Paren | exp.Collate):
        return _called(node.this)
    if isinstance(node, exp.Dot):
        return _called(node.expression)
    if isinstance(node, exp.Column):
        return node.name
    if isinstance(node, exp.Cast):
        inner = _called(node.this)
        return inner if inner != "?column?" else node.to.sql("postgres").lower().rpartition(".")[2]
    if isinstance(node, exp.Subquery):
        first = node.this.selects[0] if isinstance(node.this, exp.Query) and node.this.selects else None
        return first.alias_or_name if first is not None and first.alias_or_name else "?column?"
    if isinstance(node, exp.Case):
        other = _called(node.args["default"]) if node.args.get("default") is not None else "?column?"
        return "case" if other == "?column?" else other
    if isinstance(node, exp.Exists):
        return "exists"
    if isinstance(node, exp.CurrentTimestamp):
        return "now"
    if isinstance(node, exp.Anonymous):
        return node.name.lower()
    if isinstance(node, exp.Func) and not isinstance(node, exp.Binary):
        return {"current_version": "version", "group_concat": "string_agg"}.get(
            node.sql_name().lower(), node.sql_name().lower()
        )
    return "?column?"
