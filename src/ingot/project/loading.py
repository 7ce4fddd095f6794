"""Finds a project and loads its files into one model, reporting every mistake of every file at once."""

import dataclasses
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from ingot.project.auth import Auth
from ingot.project.cube import Cube, ModelFile, View, names
from ingot.project.dashboard import Dashboard
from ingot.project.discover import PackageError, data_files, folder_of
from ingot.project.environment import UNSET, FromEnv, concealed
from ingot.project.explain import explain
from ingot.project.model import Project, Semantic, Transform
from ingot.project.model_files import ModelFiles, Names, bytes_of
from ingot.project.model_parts import ModelParts, Plain, Template
from ingot.project.place import Place
from ingot.project.problem import Problem, ProjectError, problem
from ingot.project.read import (
    MAX_FILES,
    SUFFIXES,
    TEMPLATES,
    fill,
    parsed,
    read,
    read_text,
    relative,
    yaml_files,
)
from ingot.project.rendering.compile_context import Reads
from ingot.project.rendering.templates import Templates, is_template
from ingot.project.root import FILE, absolute, is_folder, missing
from ingot.project.settings import FolderSettings, Profile, Settings, TransformSettings
from ingot.project.source import Source, SourceTable
from ingot.project.spec import Report, Spec, twice
from ingot.project.tree import Map, Seq
from ingot.project.users import read_users, users_file

S = TypeVar("S", bound=Spec)


def load(
    root: Path | str,
    *,
    profile: str | None = None,
    environ: Mapping[str, str] = os.environ,
    files: ModelFiles | None = None,
    compile_context: Mapping[str, Any] | None = None,
) -> Project:
    """The project in the folder `root`, for one profile; `files` keeps what has not changed since the last time.

    `compile_context` is the security context that templates read; by default the one of `ingot.yml`.

    Raises:
        ProjectError: with all problems of all files; or where there is no `ingot.yml`.
    """
    folder = absolute(root)
    if folder.name == FILE and folder.is_file():
        folder = folder.parent
    if not os.path.lexists(folder / FILE):
        raise missing(folder)
    return _Loader(folder, environ, files, compile_context).load(profile)


def for_context(project: Project, security: Mapping[str, Any], reads: Reads) -> Project:
    """The project as it was read, its templates rendered for another security context.

    What they read of it is added to `reads`, whatever comes of it.

    Raises:
        ProjectError: with the problems of the files that became something else.
    """
    parts = project.parts
    if parts is None or not parts.reads:
        return project
    loader = _Loader(project.root, parts.environ, parts.kept, security)
    loader.reads = reads
    loader.templates = parts.templates
    cubes, views = loader.compiled(parts.parts)
    if loader.problems:
        raise ProjectError(loader.without_consequences())
    return dataclasses.replace(project, cubes=cubes, views=views)


@dataclasses.dataclass(frozen=True, slots=True)
class Databases:
    """The databases that SQL reads, each by its own part of the files."""

    there: tuple[Source, ...] = ()
    wrong: Mapping[str, tuple[Problem, ...]] = dataclasses.field(default_factory=dict)
    """What is wrong with the file of another one, by the name that it has or would have."""


def databases(root: Path, profile: str, environ: Mapping[str, str] = os.environ) -> Databases:
    """The databases that the files of the project in a folder attach now. A file that is wrong is no other one's matter.

    Raises:
        ProjectError: with the problems of `ingot.yml`, which has databases as well.
    """
    return _Loader(root, environ).databases(profile)


class _Loader:
    def __init__(
        self,
        root: Path,
        environ: Mapping[str, str],
        files: ModelFiles | None = None,
        compile_context: Mapping[str, Any] | None = None,
    ) -> None:
        self.root = root
        self.security = compile_context
        self.templates: Templates | None = None
        self.reads = Reads()
        self.parts: list[Plain | Template] = []
        self.model_files = files
        self.environ = environ
        self.report = Report()
        self.problems = self.report.problems
        self.files: list[Path] = []
        self.named: dict[tuple[str, str], Place] = {}

    def load(self, wanted: str | None) -> Project:
        tree = self.tree(self.root / FILE)
        if tree is None:
            raise ProjectError(self.problems)
        chosen = wanted or self.default_profile(tree)
        tree = self.filled_settings(tree, chosen)
        self.once("source", names(tree.get("sources")))
        settings = self.spec(Settings, tree)
        # Where ingot.yml is wrong, the other files are still read, at their usual places.
        known = settings or Settings()
        profile = next((p for p in known.profiles if p.name == chosen), None)
        if profile is None and settings is not None and chosen != "dev":
            self.problems.append(
                problem(
                    tree.marks.value("profiles"),
                    f"there is no profile '{concealed(chosen)}'",
                    known={"dev", *(p.name for p in known.profiles)},
                )
            )
        profile = profile or Profile(name="dev")

        if self.security is None:
            self.security = known.semantic.compile_context
        sources = self.sources(known)
        semantic = self.folder(known.semantic, "semantic")
        cubes, views = self.model(semantic)
        dashboards = self.dashboards(self.folder(known.dashboards, "dashboards"))
        transform = self.transform(known)
        users = self.users(known.auth)
        if self.problems:
            wrong = ProjectError(self.without_consequences())
            wrong.parts = self.model_parts()
            raise wrong

        state = self.root / ".ingot"
        return Project(
            root=self.root,
            name=known.name or self.root.name or "ingot",
            profile=chosen,
            state_dir=state,
            catalog_url=profile.catalog or profile.state or f"sqlite:///{state / 'lake.db'}",
            ops_url=profile.ops or profile.state or f"sqlite:///{state / 'ops.db'}",
            warehouse=self.warehouse(profile, state),
            lake=known.lake,
            engine=profile.engine,
            serve=known.serve,
            sources=sources,
            transform=transform,
            semantic=Semantic(semantic, known.semantic),
            cubes=cubes,
            views=views,
            dashboards=dashboards,
            files=tuple(self.files),
            auth=known.auth or (Auth() if users is not None else None),
            users=users,
            parts=self.model_parts(),
        )

    def databases(self, profile: str) -> Databases:
        tree = self.tree(self.root / FILE)
        settings = None
        if tree is not None:
            tree = self.filled_settings(tree, profile)
            self.once("source", names(tree.get("sources")))
            settings = self.spec(Settings, tree)
        if settings is None or self.problems:
            raise ProjectError(self.without_consequences())
        made = list(settings.sources)
        wrong: dict[str, tuple[Problem, ...]] = {}
        for path in self.paths(self.root / "sources"):
            self.problems.clear()
            name = path.name.partition(".")[0]
            read = self.tree(path)
            if read is not None:
                read = fill(read, self.environ, self.problems)
                _default_name(read, path)
                name = str(read["name"])
                self.once("source", names(_alone(read)))
                source = self.spec(Source, read)
                made += [source] if source is not None else []
            if self.problems:
                wrong[name] = ProjectError(self.without_consequences()).problems
        there = (
            self.settled(one) for one in made if one.is_database and one.attach and one.name not in wrong
        )
        return Databases(tuple(there), wrong)

    # -- files -----------------------------------------------------------------------------------------

    def tree(self, path: Path) -> Map | None:
        self.files.append(path)
        return read(path, relative(path, self.root), self.problems)

    def paths(self, folder: Path, suffixes: tuple[str, ...] = SUFFIXES) -> Iterator[Path]:
        for number, path in enumerate(yaml_files(folder, suffixes)):
            if number >= MAX_FILES:
                self.problems.append(
                    Problem(
                        Place(relative(folder, self.root)),
                        "the folder has too many files",
                        f"at most {MAX_FILES}",
                    )
                )
                break
            yield path

    def trees(self, folder: Path) -> list[tuple[Path, Map]]:
        return [
            (path, fill(tree, self.environ, self.problems))
            for path in self.paths(folder)
            if (tree := self.tree(path)) is not None
        ]

    def without_consequences(self) -> list[Problem]:
        """The problems but those that only say that an unset variable's value does not fit."""
        unset = {each.place for each in self.problems if each.message.startswith(UNSET)}
        return [each for each in self.problems if each.place not in unset or each.message.startswith(UNSET)]

    def spec(self, kind: type[S], tree: Map) -> S | None:
        try:
            return kind.model_validate(tree, context=self.report)
        except ValidationError as error:
            self.problems.extend(explain(kind, tree, error))
            return None

    def folder(self, settings: FolderSettings, key: str) -> Path:
        path = absolute(settings.path, self.root)
        if "path" in settings.model_fields_set and not is_folder(path):
            self.problems.append(
                Problem(settings.place_of("path"), f"'{key}' names a folder that is not there")
            )
        return path

    def once(self, what: str, named: Iterable[tuple[str, Place]]) -> None:
        """Reports names that were there before, in whichever file.

        One call is for one list of names: what stands twice in the same list is reported where it is read.
        """
        first_here: dict[str, Place] = {}
        for name, place in named:
            first_here.setdefault(name, place)
        for name, place in first_here.items():
            first = self.named.setdefault((what, str(name)), place)
            if first != place:
                self.problems.append(twice(place, what, name, first))

    # -- ingot.yml -------------------------------------------------------------------------------------

    def default_profile(self, tree: Map) -> str:
        written = fill(
            Map(tree.marks, {k: v for k, v in tree.items() if k == "default_profile"}), self.environ, []
        )
        name = written.get("default_profile")
        return name if isinstance(name, str) and name else "dev"

    def filled_settings(self, tree: Map, chosen: str) -> Map:
        """The variables of other profiles may be unset: whoever runs dev need not have prod's password."""
        profiles = tree.get("profiles")

        def other(path: tuple[str, ...]) -> bool:
            if len(path) < 2 or path[0] != "profiles":
                return False
            if isinstance(profiles, Seq):
                entry = profiles[int(path[1])]
                return not (isinstance(entry, Map) and entry.get("name") == chosen)
            return path[1] != chosen

        return fill(tree, self.environ, self.problems, optional=other)

    def warehouse(self, profile: Profile, state: Path) -> str:
        written = profile.warehouse
        if written is None:
            return str(state / "warehouse")
        if "://" in written:
            return written
        path = str(absolute(written, self.root))
        return FromEnv(path, str(self.root / written.template)) if isinstance(written, FromEnv) else path

    def transform(self, settings: Settings) -> Transform | None:
        written = settings.transform
        path = absolute(written.path if written else "transform", self.root)
        if not (is_folder(path) and (path / "dbt_project.yml").is_file()):
            if written is not None:
                self.problems.append(
                    Problem(
                        written.place_of("path"),
                        "'transform' names a folder without a dbt_project.yml",
                        "the folder of a dbt project",
                    )
                )
            return None
        said = written or TransformSettings()
        return Transform(path, said.vars, said.threads, said)

    def users(self, auth: Auth | None) -> Path | None:
        """The file of users, looked through; None where there is none and none is wanted."""
        path = users_file(self.root, auth)
        if os.path.lexists(path):
            self.files.append(path)
            read_users(path, self.root, self.environ, self.problems)
            return path
        return path if auth is not None and auth.users is not None else None

    # -- sources ---------------------------------------------------------------------------------------

    def sources(self, settings: Settings) -> tuple[Source, ...]:
        made = list(settings.sources)
        for path, tree in self.trees(self.root / "sources"):
            _default_name(tree, path)
            self.once("source", names(_alone(tree)))
            source = self.spec(Source, tree)
            if source is not None:
                made.append(source)
        if all(source.is_database for source in made) and not self.problems:
            made.append(self.default_source())
        settled = [self.settled(source) for source in made]
        for source in settled:
            for table in source.tables:
                self.once("table", [(table.full_name, table.place)])
        return tuple(settled)

    def settled(self, source: Source) -> Source:
        if source.is_database:
            return source.settle(absolute(source.path, self.root))
        try:
            folder = folder_of(source.path, self.root)
        except PackageError as error:
            place = source.place_of("path")
            written = source.path.template if isinstance(source.path, FromEnv) else source.path
            self.problems.append(Problem(place, f"the path '{written}' of source '{source.name}' {error}"))
            return source
        if source.tables or "tables" in source.model_fields_set or source.place.file == "<code>":
            return source.settle(folder)
        if not is_folder(folder):
            place = source.place_of("path")
            self.problems.append(
                Problem(
                    place,
                    f"source '{source.name}' has a path that is no folder",
                    "a folder with data files, or 'tables'",
                )
            )
            return source
        return source.settle(folder, self.found(source.place, data_files(folder)))

    def default_source(self) -> Source:
        """The data files of the root and of data/, for a project that names no source."""
        place = Place(FILE)
        here = list(data_files(self.root, below=False))
        data = [(name, f"data/{path}") for name, path in data_files(self.root / "data")]
        return Source(name="files", path=".", tables=self.found(place, [*here, *data]))

    def found(self, place: Place, files: Any) -> tuple[SourceTable, ...]:
        tables: dict[str, SourceTable] = {}
        for name, path in files:
            if name in tables:
                self.problems.append(
                    Problem(
                        place,
                        f"the files '{tables[name].path[0]}' and '{path}' would both be the table '{name}'",
                        "other file names, or a source that names its tables",
                    )
                )
            else:
                tables[name] = SourceTable(name=name, path=(path,))
        return tuple(tables.values())

    # -- semantic model and dashboards -----------------------------------------------------------------

    def model(self, folder: Path) -> tuple[tuple[Cube, ...], tuple[View, ...]]:
        self.templates = Templates(folder, relative(folder, self.root))
        for path in self.paths(folder, (*SUFFIXES, *TEMPLATES)):
            self.files.append(path)
            if (part := self.model_part(folder, path)) is not None:
                self.parts.append(part)
        found = self.compiled(self.parts)
        self.files += self.templates.files
        return found

    def compiled(self, parts: Iterable[Plain | Template]) -> tuple[tuple[Cube, ...], tuple[View, ...]]:
        """The cubes and views of files that were read, for this loader's context."""
        cubes: list[Cube] = []
        views: list[View] = []
        for part in parts:
            if isinstance(part, Plain):
                for each in part.names:
                    self.once("cube or view", each)
                file = part.file
            else:
                file = self.rendered(part)
            if file is not None:
                cubes += file.cubes
                views += file.views
        return tuple(cubes), tuple(views)

    def model_parts(self) -> ModelParts:
        assert self.templates is not None
        kept = self.model_files or ModelFiles()
        return ModelParts(
            tuple(self.parts), self.templates, self.environ, kept, self.reads, self.security or {}
        )

    def model_part(self, folder: Path, path: Path) -> Plain | Template | None:
        kept = self.model_files
        name = relative(path, self.root)
        if kept is not None and (known := kept.find(path, name)) is not None:
            return Plain(known.names, known.file)
        data = bytes_of(path) if kept is not None else None
        before = len(self.problems)
        text = read_text(path, name, self.problems)
        if text is None:
            return None
        if is_template(text):
            return Template(path, name, path.relative_to(folder).as_posix(), text)
        written, file = self.specs(parsed(text, name, self.problems))
        # Read twice, so that what is kept under the bytes was made of them.
        if kept is not None and file is not None and len(self.problems) == before and bytes_of(path) == data:
            kept.keep(path, name, data, written, file)
        return Plain(written, file)

    def specs(self, tree: Map | None) -> tuple[Names, ModelFile | None]:
        if tree is None:
            return (), None
        tree = fill(tree, self.environ, self.problems)
        written = tuple(tuple(names(tree.get(key))) for key in ("cubes", "views"))
        return written, self.spec(ModelFile, tree)

    def rendered(self, part: Template) -> ModelFile | None:
        assert self.templates is not None
        security = self.security or {}
        made = self.templates.render(part.template, part.text, security, self.reads, self.problems)
        if made is None:
            return None
        kept = self.model_files
        if kept is not None and (known := kept.find_rendered(part.path, part.name, made)) is not None:
            for each in known.names:
                self.once("cube or view", each)
            return known.file
        before = len(self.problems)
        written, file = self.specs(parsed(made.text, part.name, self.problems, made.where))
        for each in written:
            self.once("cube or view", each)
        if kept is not None and file is not None and len(self.problems) == before:
            kept.keep_rendered(part.path, part.name, made, written, file)
        return file

    def dashboards(self, folder: Path) -> tuple[Dashboard, ...]:
        made = []
        for path, tree in self.trees(folder):
            _default_name(tree, path)
            self.once("dashboard", names(_alone(tree)))
            dashboard = self.spec(Dashboard, tree)
            if dashboard is not None:
                made.append(dashboard)
        return tuple(made)


def _alone(tree: Map) -> Seq:
    made = Seq(tree.marks.file, tree.marks.at)
    made.append(tree)
    return made


def _default_name(tree: Map, path: Path) -> None:
    if tree.get("name") is None:
        tree["name"] = path.name.partition(".")[0]
