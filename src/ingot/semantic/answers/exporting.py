"""Plan -> the SELECT of a file: columns under the members' names, numbers that are none as null."""

from ingot.engines.sql import quote_identifier
from ingot.semantic.model import Measure
from ingot.semantic.planner.plan import Plan
from ingot.semantic.planner.writing import aliases


def exported(plan: Plan) -> str:
    """The SQL, in DuckDB's dialect; its parameters are the plan's."""
    names = aliases(plan.query.columns)
    columns = []
    for column in plan.query.columns:
        value = quote_identifier(names[column.key])
        member = column.found.member
        if isinstance(member, Measure) and member.type == "number":
            # A division by zero is null, as in JSON.
            value = f"CASE WHEN isfinite(CAST({value} AS DOUBLE)) THEN {value} END"
        columns.append(f"{value} AS {quote_identifier(column.key)}")
    return f"SELECT {', '.join(columns)} FROM ({plan.sql}) AS answer"
