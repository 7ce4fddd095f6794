"""Names of types as functions: `date(x)` is a cast, as `x::date` is."""

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.calls import Call, Meant, function
from ingot.semantic.sql.postgres.casts import casted


def _cast(c: Call) -> Meant:
    try:
        return Meant(casted(c.given[0], c.name, (), c.writing.clock, c.at), c.name)
    except SqlError as error:
        if error.sqlstate != "42846":
            raise
        said = kinds.spoken(c.given[0].type)
        raise SqlError(f"function {c.name}({said}) does not exist", at=c.at, sqlstate="42883") from None


for _name in ("date", "text", "int2", "int4", "int8", "float4", "float8", "bool", "timestamptz"):
    function(_name, f"any -> {_name}", _cast)
