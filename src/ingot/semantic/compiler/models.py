"""One model for each security context that makes a different one, as `COMPILE_CONTEXT` is read in the files.

A context's model is found by the parts that were read while one was made: contexts that agree in these parts
share a model, and a project that reads none has one. Models of the last good reading stay until the next one
takes their place as a whole.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from ingot.project import ProjectError
from ingot.project.loading import for_context
from ingot.project.rendering.compile_context import Part, Reads, values_at
from ingot.semantic.answers.recent import Recent
from ingot.semantic.compiler.compile import ModelCache
from ingot.semantic.compiler.dashboards import check_project
from ingot.semantic.context import ANYONE, Context
from ingot.semantic.errors import QueryError
from ingot.semantic.model import Model

if TYPE_CHECKING:
    from ingot.project import Project

MOST = 100
"""Models for contexts at the same time."""

Paths = frozenset[tuple[tuple[str, ...], bool]]


@dataclass(frozen=True, slots=True, eq=False)
class Now:
    """What one reading of the files means: the project, its model for nobody in particular, and who needs another."""

    project: "Project"
    model: Model
    reads: Reads
    made: Recent[tuple[Paths, frozenset[Any]], Model | ProjectError]
    kinds: Recent[Paths, None]

    def known(self, context: Context) -> "Model | ProjectError | None":
        """The model of a context, where it was made before."""
        if context is ANYONE or not self.reads:
            return self.model
        for paths in tuple(self.kinds):
            found = self.made.get((paths, values_at(context.security, paths)))
            if found is not None:
                return found
        return None


class Models:
    """The models of a project. Safe to use from several threads."""

    def __init__(self, project: "Project", declare: Callable[["Project", Model], None]) -> None:
        """`declare` is told of every model before anybody gets it. Raises `ProjectError`."""
        self._declare = declare
        self._lock = Lock()
        self._reads = Reads()
        self._context: Mapping[str, Any] | None = None
        self._cache = ModelCache()
        self.now = self._read(project)

    def reload(self, project: "Project") -> None:
        """Takes the project's present files for all contexts; `ProjectError` leaves everything as it is."""
        self.now = self._read(project)

    def at_hand(self, context: Context) -> Model | None:
        """The model of a context, where it is made already."""
        found = self.now.known(context)
        return None if isinstance(found, ProjectError) else found

    def of(self, context: Context) -> Model:
        """The model of a context. Raises `ProjectError` where it has problems for this one.

        With a login, the error is a `QueryError` that does not show lines of the files.
        """
        now = self.now
        found = now.known(context)
        if found is None:
            with self._lock:
                found = now.known(context) or self._made(now, context)
        if isinstance(found, ProjectError):
            if now.project.auth is not None:
                raise QueryError(
                    "There is no model for this security context.",
                    hint="Who keeps the model sees why: ingot model validate --context '{…}'",
                )
            raise ProjectError(found.problems)
        return found

    def _read(self, project: "Project") -> Now:
        context = project.parts.security if project.parts is not None else {}
        if context != self._context:
            self._context, self._reads = context, Reads()
            self._cache = ModelCache(compiled=Part(context, self._reads, text=False))
        model = check_project(project, models=self._cache)
        self._declare(project, model)
        reads = Reads()
        reads.add(self._reads)
        if project.parts is not None:
            reads.add(project.parts.reads)
        return Now(project, model, reads, Recent(MOST), Recent(MOST))

    def _made(self, now: Now, context: Context) -> Model | ProjectError:
        reads = Reads()
        made: Model | ProjectError
        try:
            project = for_context(now.project, context.security, reads)
            part = Part(context.security, reads, text=False)
            # Where no SQL reads the context, cubes of files that came out the same are taken over.
            cache = ModelCache(compiled=part) if self._reads else self._cache.for_context(part)
            made = cache.model(project)
            self._declare(project, made)
        except ProjectError as error:
            made = error
        paths = reads.paths
        now.made.keep((paths, values_at(context.security, paths)), made)
        now.kinds.keep(paths, None)
        return made
