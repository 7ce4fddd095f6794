"""The project's own Python before a query is planned: `cube.py` beside `ingot.yml`, in Cube's grammar.

    from cube import config

    @config('query_rewrite')
    def query_rewrite(query: dict, ctx: dict) -> dict:
        query['filters'].append({'member': 'orders.country', 'operator': 'equals',
                                 'values': [ctx['securityContext']['country']]})
        return query

    @config('context_to_groups')
    def context_to_groups(ctx: dict) -> list[str]:
        return ctx['securityContext'].get('roles', [])

It is trusted as the project's other files are, and loaded once at the start and with each reload. A function gets
copies, and what it gives is checked as if it had been asked. Where it raises, the query is refused: never is a
query answered that a hook could not look at.
"""

import asyncio
import copy
import inspect
import sys
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any

from ingot.project import Problem, ProjectError
from ingot.project.place import Place
from ingot.project.rendering.python import failure
from ingot.semantic import sizes
from ingot.semantic.answers.questions import MAX_QUERIES, Given
from ingot.semantic.context import Context
from ingot.semantic.errors import QueryError
from ingot.semantic.query import Query

FILE = "cube.py"
_HOOKS = ("query_rewrite", "context_to_groups", "context_to_roles")
_HARMLESS = frozenset(
    {
        "allow_ungrouped_without_primary_key", "base_path", "cache_and_queue_driver", "compiler_cache_size",
        "context_to_app_id", "context_to_orchestrator_id", "dev_server", "fast_reload", "http", "jwt", "logger",
        "max_compiler_cache_keep_alive", "orchestrator_options", "pre_aggregations_schema", "process_subscriptions_interval",
        "scheduled_refresh_concurrency", "scheduled_refresh_contexts", "scheduled_refresh_time_zones",
        "scheduled_refresh_timer", "schema_path", "schema_version", "telemetry", "update_compiler_cache_keep_alive",
        "web_sockets", "web_sockets_base_path",
    }
)  # fmt: skip
"""What of Cube's configuration is about how Cube runs: it means nothing here, and leaving it out changes no answer."""
_LISTS = ("measures", "dimensions", "timeDimensions", "segments", "filters")
# What a project raises itself says why; what Python raises may say what is in its variables.
_SAID = (Exception, ValueError, PermissionError)
_loading = RLock()


class HookError(QueryError):
    """A function of the project's `cube.py` refused a query, or failed."""

    code = "hook"
    status = 403


@dataclass(frozen=True, slots=True)
class Hooks:
    """The functions that a project has. Safe to use from several threads, as far as they are."""

    query_rewrite: Callable[..., Any] | None = None
    context_to_groups: Callable[..., Any] | None = None

    def __bool__(self) -> bool:
        return self.query_rewrite is not None or self.context_to_groups is not None

    def context(self, context: Context) -> Context:
        """Who asks, with the groups that the project says. Raises `HookError`."""
        if self.context_to_groups is None:
            return context
        found = _called("context_to_groups", self.context_to_groups, _told(context))
        if not isinstance(found, list | tuple | set) or not all(isinstance(one, str) for one in found):
            raise HookError("The project's context_to_groups gave no list of texts.")
        return replace(context, groups=tuple(found))

    def queries(self, given: Given, context: Context) -> Given:
        """The query, or each of the queries, as the project rewrites it.

        Raises `HookError`, or `QueryError` for what is too large to be shown to a function.
        """
        if self.query_rewrite is None:
            return given
        asked: list[Any] = given if isinstance(given, list) else [given]
        if len(asked) > MAX_QUERIES or not all(isinstance(one, Mapping | Query) for one in asked):
            return given  # no query, as its grammar will say
        sizes.check(asked)
        if isinstance(given, list):
            return [self._rewritten(one, context) for one in given]
        return self._rewritten(given, context)

    def _rewritten(self, given: Mapping[str, Any] | Query, context: Context) -> dict[str, Any]:
        if isinstance(given, Query):
            query = given.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
        else:
            query = copy.deepcopy(dict(given))
        for key in _LISTS:
            if query.get(key) is None:
                query[key] = []
        assert self.query_rewrite is not None
        found = _called("query_rewrite", self.query_rewrite, query, _told(context))
        if not isinstance(found, dict):
            raise HookError("The project's query_rewrite gave no query.")
        return found


NONE = Hooks()


def load(root: Path | None) -> Hooks:
    """The hooks of the project in a folder.

    Raises:
        ProjectError: for a `cube.py` that cannot be run, or that configures what only Cube has.
    """
    path = root / FILE if root is not None else None
    if path is None or not path.is_file():
        return NONE
    config = _Config()
    try:
        source = path.read_bytes()
    except OSError as error:
        what = f"cannot be read: {(error.strerror or 'error').lower()}"
        raise ProjectError([Problem(Place(FILE), what)]) from None
    module = ModuleType("cube_configuration")
    module.__file__ = str(path)
    with _loading:
        before = sys.modules.get("cube")
        sys.modules["cube"] = _shim(config)
        try:
            exec(compile(source, str(path), "exec"), module.__dict__)  # noqa: S102 - the project's own program
        except Exception as error:  # noqa: BLE001 - a program of the project's, which may fail in any way
            raise ProjectError([failure(error, {str(path): FILE})]) from None
        finally:
            if before is None:
                del sys.modules["cube"]
            else:
                sys.modules["cube"] = before
    return _hooks(config.found)


class _Config:
    """Cube's `config`: a decorator, and an object whose attributes are settings."""

    found: dict[str, Any]

    def __init__(self) -> None:
        object.__setattr__(self, "found", {})

    def __setattr__(self, name: str, value: Any) -> None:
        self.found[name] = value

    def __call__(self, name: Any) -> Any:
        if callable(name):
            self.found[name.__name__] = name
            return name

        def decorate(function: Any) -> Any:
            self.found[str(name)] = function
            return function

        return decorate


def _shim(config: _Config) -> ModuleType:
    shim = ModuleType("cube")
    shim.config = config  # type: ignore[attr-defined]
    shim.file_repository = lambda *_: []  # type: ignore[attr-defined]
    return shim


def _hooks(found: Mapping[str, Any]) -> Hooks:
    problems = [
        Problem(Place(FILE), f"'{name}' is not supported here", f"one of {', '.join(_HOOKS)}")
        for name in found
        if name not in _HOOKS and name not in _HARMLESS
    ]
    problems += [
        Problem(Place(FILE), f"'{name}' is not a function")
        for name in _HOOKS
        if name in found and not callable(found[name])
    ]
    if problems:
        raise ProjectError(problems)
    groups = found.get("context_to_groups", found.get("context_to_roles"))
    return Hooks(found.get("query_rewrite"), groups)


def _told(context: Context) -> dict[str, Any]:
    """What a function is told of who asks: as in Cube, and in Python's spelling."""
    security = copy.deepcopy(dict(context.security))
    return {"securityContext": security, "security_context": security, "groups": list(context.groups)}


def _called(name: str, function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        found = function(*arguments)
        return _result(_awaited(found)) if inspect.isawaitable(found) else found
    except Exception as error:
        if type(error) in _SAID and str(error).strip():
            said = str(error).strip().partition("\n")[0][:300]
            raise HookError(f"The query is refused: {said}") from None
        raise HookError(f"The project's {name} failed ({type(error).__name__}).") from error


async def _awaited(found: Any) -> Any:
    return await found


def _result(work: Coroutine[Any, Any, Any]) -> Any:
    """What `work` gives, also where this thread has a loop that runs already: notebooks do."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, work).result()
