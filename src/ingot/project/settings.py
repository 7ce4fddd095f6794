"""`ingot.yml`: the project's name, profiles and settings. Defaults that depend on the folder are in `loading`."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from ingot.project.auth import Auth
from ingot.project.source import Source
from ingot.project.spec import Frozen, Named, Options, PathText, Positive, Slug, Some, Spec, Text, Whole, Word

ByteSize = Text


class Engine(Spec):
    """The engine of a profile."""

    kind: ClassVar[str] = "engine"

    type: Literal["duckdb"] = Field("duckdb", description="The engine; DuckDB runs inside the process.")
    memory_limit: Word | None = Field(None, description="Most memory the engine may use, such as 4GB or 80%.")
    threads: Positive | None = Field(None, description="Threads of one query; default: the machine's cores.")


class Profile(Spec):
    """A named environment of the project, such as dev or prod."""

    kind: ClassVar[str] = "profile"

    name: Slug = Field(description="The profile's name.")
    warehouse: PathText | None = Field(
        None,
        description="Where table data goes: a folder (relative to the project) or a URI. Default: .ingot/warehouse.",
    )
    state: Word | None = Field(
        None, description="SQLAlchemy URL of a database for both the catalog and the runs."
    )
    catalog: Word | None = Field(
        None, description="SQLAlchemy URL of the catalog of the lake. Default: SQLite in .ingot/lake.db."
    )
    ops: Word | None = Field(
        None, description="SQLAlchemy URL of the database of runs and jobs. Default: SQLite in .ingot/ops.db."
    )
    engine: Engine = Field(default_factory=Engine, description="What executes SQL.")


class LakeSettings(Spec):
    """How the lake may be changed."""

    kind: ClassVar[str] = "lake"

    protected: Some[Word] = Field(
        (),
        description="Branches that move only by merges: whoever wants to change them writes to a branch and merges it.",
    )


class SqlTls(Spec):
    """The certificate of the SQL port."""

    kind: ClassVar[str] = "sql_tls"

    certificate: PathText = Field(
        description="The server's certificate, and those between it and the root: a file in PEM, relative to "
        "this file. It is read anew when it changes."
    )
    key: PathText = Field(description="The certificate's key: a file in PEM without a password.")
    require: bool = Field(
        False, description="Whether connections from other machines are refused where they are not encrypted."
    )


class Serve(Spec):
    """Where `ingot serve` listens."""

    kind: ClassVar[str] = "serve"

    host: Word = Field("127.0.0.1", description="Address to listen on; the default is this machine only.")
    port: Whole = Field(4000, ge=0, le=65535, description="Port of HTTP; 0 picks a free one.")
    sql_port: Whole = Field(
        15432, ge=0, le=65535, description="Port of the PostgreSQL protocol; 0 picks a free one."
    )
    sql_tls: SqlTls | None = Field(
        None, description="The certificate of the PostgreSQL protocol. Default: it is not encrypted."
    )
    sql_connections: Positive = Field(
        1000, description="Clients that may be connected to the SQL port at a time; one more is refused."
    )
    sql_rows: Whole = Field(
        0, ge=0, description="The most rows of one answer over the SQL port; 0 sets no limit."
    )
    continue_wait: Positive = Field(
        5, description="Seconds that a request waits for its rows before it is told to ask again."
    )
    query_timeout: Positive = Field(600, description="Seconds after which a query is stopped.")
    cache_mb: Whole = Field(128, ge=0, description="Memory for kept answers, in MB; 0 keeps none.")
    rollup_only: bool = Field(
        False,
        description="Whether questions that no rollup answers are refused instead of reading the tables.",
    )


class TransformSettings(Spec):
    """The dbt project that builds the tables."""

    kind: ClassVar[str] = "transform"

    path: PathText = Field("transform", description="Folder of the dbt project, relative to this file.")
    vars: Options = Field(default_factory=Frozen, description="dbt variables.")
    threads: Positive = Field(4, description="Models that dbt builds at the same time.")


class FolderSettings(Spec):
    """Where a kind of file is kept."""

    path: PathText = Field(description="Folder, relative to this file.")


class SemanticSettings(FolderSettings):
    """The folder of the semantic model."""

    kind: ClassVar[str] = "semantic"

    path: PathText = Field("semantic", description="Folder with cubes/ and views/, relative to this file.")
    compile_context: Options = Field(
        default_factory=Frozen,
        description="The security context that templates read where nobody has logged in, and in checks.",
    )


class DashboardSettings(FolderSettings):
    """The folder of the dashboards."""

    kind: ClassVar[str] = "dashboards"

    path: PathText = Field("dashboards", description="Folder of the dashboards, relative to this file.")


class Settings(Spec):
    """The file `ingot.yml`. Every key is optional; an empty file is a project."""

    kind: ClassVar[str] = "ingot.yml"

    name: Slug | None = Field(
        None,
        description="The project's name, also the database's name for SQL clients. Default: the folder's name.",
    )
    default_profile: Slug | None = Field(
        None, description="The profile used where none is asked for. Default: dev."
    )
    profiles: Named[Profile] = Field((), description="Named environments: dev, prod, …")
    transform: TransformSettings | None = Field(
        None, description="The dbt project. Default: transform/, where it has a dbt_project.yml."
    )
    lake: LakeSettings = Field(
        default_factory=LakeSettings, description="The lake: which branches are protected."
    )
    serve: Serve = Field(default_factory=Serve, description="Where `ingot serve` listens: address and ports.")
    auth: Auth | None = Field(None, description="Who may ask. Default: anybody who reaches the port.")
    sources: Named[Source] = Field((), description="Sources, as in the files of sources/.")
    semantic: SemanticSettings = Field(
        default_factory=SemanticSettings, description="Where the cubes and views are."
    )
    dashboards: DashboardSettings = Field(
        default_factory=DashboardSettings, description="Where the dashboards are."
    )

    @classmethod
    def called(cls, data: Mapping[str, Any]) -> str:  # noqa: ARG003
        return "ingot.yml"
