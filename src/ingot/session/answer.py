"""An answer: rows with the types that the engine gave them, as Arrow, Polars, pandas or plain Python."""

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

from ingot.errors import UsageError

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

_SHOWN = 20


class Answer:
    """Rows of an answer. Iterating gives one dict a row."""

    def __init__(self, table: "pyarrow.Table", *, ref: str, commit: str) -> None:
        self._table = table
        self.ref = ref
        """The ref that was asked."""
        self.commit = commit
        """The commit that the rows are from: asked again of it, they are the same for ever."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns: members, or those of the SQL."""
        return tuple(self._table.column_names)

    def arrow(self) -> "pyarrow.Table":
        """As a `pyarrow.Table`, without a copy."""
        return self._table

    def polars(self) -> "polars.DataFrame":
        """As a Polars frame; raises `UsageError` where Polars is not installed."""
        try:
            import polars  # noqa: PLC0415 - only who asks for it needs it
        except ImportError:
            raise UsageError("Polars is not installed.", hint="pip install polars") from None
        frame = polars.from_arrow(self._table)
        assert isinstance(frame, polars.DataFrame)
        return frame

    def pandas(self) -> "pandas.DataFrame":
        """As a pandas frame; raises `UsageError` where pandas is not installed."""
        try:
            return self._table.to_pandas()
        except ImportError:
            raise UsageError("pandas is not installed.", hint="pip install pandas") from None

    def rows(self) -> list[dict[str, Any]]:
        """As a list of dicts with Python's values: `Decimal`, `datetime`, …"""
        found: list[dict[str, Any]] = self._table.to_pylist()
        return found

    def scalar(self) -> Any:
        """The only value of the answer; raises `UsageError` where it is not one row with one column."""
        if self._table.shape != (1, 1):
            rows, columns = self._table.shape
            raise UsageError(f"The answer has {rows} rows and {columns} columns, not one value.")
        return self._table.column(0)[0].as_py()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows())

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __repr__(self) -> str:
        lines = [" | ".join(self.columns)]
        lines += [" | ".join(_shown(value) for value in row.values()) for row in self._first()]
        return "\n".join([*lines, self._footer()])

    def _repr_html_(self) -> str:
        """What a notebook shows: the first rows. Every value is escaped."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(_shown(value))}</td>" for value in row.values()) + "</tr>"
            for row in self._first()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{escape(self._footer())}</p>"

    def _first(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._table.slice(0, _SHOWN).to_pylist()
        return rows

    def _footer(self) -> str:
        return f"{len(self):,} row{'' if len(self) == 1 else 's'} of {self.ref} at {self.commit[:12]}"


def _shown(value: Any) -> str:
    return "" if value is None else str(value)
