"""What a reader prepares for the load of one table, and the rules that all readers share.

A type once found is kept. A column that is named under `columns:` has the type that it is given there and
may be missing from a file; any other column must be in every file that is added later.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ingot.errors import IngotError, did_you_mean
from ingot.project.source import SourceTable
from ingot.sources.errors import SourceError
from ingot.sources.files.parts import Part
from ingot.sources.model import LoadState, Plan


@dataclass(frozen=True, slots=True)
class Reading:
    """A query that gives the rows of a load, and what is known of them."""

    query: str
    types: Mapping[str, str]
    empty: frozenset[str]
    """Columns without any value so far."""
    reopened: frozenset[str]
    """Columns that had no value before and have a type other than VARCHAR now."""
    rows: Mapping[str, int]
    """Rows of each file, by its key."""
    recount: Callable[[], Mapping[str, int]]
    """Rows of each file, counted by reading them once more."""
    refine: Callable[[IngotError], "Reading"]
    """After the query failed: another reading to try, or the `SourceError` that says why there is none."""


def declared_types(table: SourceTable, columns: Sequence[str], check: Callable[[str], str]) -> dict[str, str]:
    """The types under `columns:`. Raises `SourceError` for a type or column that does not exist."""
    done = {}
    for name, text in table.columns.items():
        place = str(table.place_of("columns"))
        if name not in columns:
            raise SourceError(
                f"`columns:` names '{name}', which no file of {table.full_name} has{did_you_mean(name, columns)}.",
                file=place,
                column=name,
            )
        try:
            done[name] = check(text)
        except ValueError as error:
            raise SourceError(
                f"'{text}' is no type for the column '{name}': {error}.",
                file=place,
                column=name,
                hint="Types are DuckDB's.",
            ) from error
    return done


def kept_types(known: LoadState | None) -> dict[str, str]:
    """The types that earlier loads found, of columns that had a value."""
    return (
        {} if known is None else {name: kind for name, kind in known.types.items() if name not in known.open}
    )


def known_columns(known: LoadState | None) -> tuple[str, ...]:
    """The columns that the table has."""
    return () if known is None else tuple(known.types)


def check_columns(plan: Plan, known: LoadState | None, have: Sequence[tuple[Part, Sequence[str]]]) -> None:
    """Raises `SourceError` where a file that is added has other columns than the table."""
    if plan.kind != "append" or known is None:
        return
    declared = plan.table.columns
    for part, columns in have:
        extra = [name for name in columns if name not in known.types]
        missing = [name for name in known.types if name not in columns and name not in declared]
        if extra:
            raise SourceError(
                f"The file has {_columns(extra)} that {plan.target} does not have{did_you_mean(extra[0], missing)}.",
                file=part.shown,
                column=extra[0],
                hint=f"To take it in, name it under `columns:` at {plan.table.place}; all files are then loaded again.",
            )
        if missing:
            raise SourceError(
                f"The file lacks {_columns(missing)} of {plan.target}.",
                file=part.shown,
                column=missing[0],
                hint=f"Where it may be missing, name it under `columns:` at {plan.table.place}; it is then NULL.",
            )


def does_not_fit(
    plan: Plan, column: str, kind: str, why: str, *, part: Part | None = None, line: int | None = None
) -> SourceError:
    """The error for a value or file that the type of a column does not take."""
    declared = column in plan.table.columns
    origin = "which `columns:` gives it" if declared else "which it has had since its first load"
    hint = (
        f"Change the type under `columns:` at {plan.table.place}, or add the value to null_values."
        if declared
        else f"Mend the file, or give the column a wider type at {plan.table.place}: columns: {{{column}: VARCHAR}}; "
        "all files are then loaded again."
    )
    return SourceError(
        f"The column '{column}' has the type {kind}, {origin}, but {why}.",
        file=part.shown if part else plan.target,
        line=line,
        column=column,
        hint=hint,
    )


def _columns(names: Sequence[str]) -> str:
    listed = ", ".join(f"'{name}'" for name in names[:5]) + (" ..." if len(names) > 5 else "")
    return f"{'a column' if len(names) == 1 else f'{len(names)} columns'} ({listed})"
