"""The project's own Python for its templates: `globals.py` beside them, and what it registers.

It is trusted as the rest of the project is: it runs as the user who starts Ingot, whenever templates are read.
A `globals.py` that was written for Cube (`from cube import TemplateContext`) works as it is.
"""

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any, TypeVar

from ingot.project.place import Place
from ingot.project.problem import Problem

FILE = "globals.py"
F = TypeVar("F", bound=Callable[..., Any])

_loading = RLock()


class TemplateContext:
    """What templates can use beyond Jinja itself: functions, filters and variables by name.

    `@template.function`, `@template.function("name")` and the same with `filter` and `variable` register what
    they decorate; a decorated `variable` is called once for its value. `add_function`, `add_filter` and
    `add_variable` take the name and the thing.
    """

    def __init__(self) -> None:
        self.functions: dict[str, Callable[..., Any]] = {}
        self.filters: dict[str, Callable[..., Any]] = {}
        self.variables: dict[str, Any] = {}

    def function(self, name: Any = None) -> Any:
        """Registers a function for templates."""
        return _decorated(self.add_function, name)

    def filter(self, name: Any = None) -> Any:
        """Registers a filter for templates."""
        return _decorated(self.add_filter, name)

    def variable(self, name: Any = None, value: Any = None) -> Any:
        """Registers what a function gives as a variable; or, with a value, the value itself."""
        if isinstance(name, str) and value is not None:
            self.add_variable(name, value)
            return None
        return _decorated(lambda at, make: self.add_variable(at, make()), name)

    def add_function(self, name: str, function: Callable[..., Any]) -> None:
        """Makes `{{ name(...) }}` call the function."""
        self.functions[_named(name)] = _callable(name, function)

    def add_filter(self, name: str, function: Callable[..., Any]) -> None:
        """Makes `{{ value | name }}` call the function with the value."""
        self.filters[_named(name)] = _callable(name, function)

    def add_variable(self, name: str, value: Any) -> None:
        """Makes `{{ name }}` the value."""
        self.variables[_named(name)] = value


def _decorated(add: Callable[[str, Any], None], name: Any) -> Any:
    if callable(name):
        add(name.__name__, name)
        return name

    def decorate(function: F) -> F:
        add(name or function.__name__, function)
        return function

    return decorate


def _named(name: str) -> str:
    if not (isinstance(name, str) and name.isidentifier()):
        raise TypeError(f"{name!r} cannot be a name in templates")
    return name


def _callable(name: str, function: Any) -> Callable[..., Any]:
    if not callable(function):
        raise TypeError(f"what is registered as '{name}' cannot be called")
    found: Callable[..., Any] = function
    return found


class SafeString(str):
    """Text as it is; Cube's templates mark what they do not want escaped, and nothing is escaped here."""

    __slots__ = ()


def load_globals(path: Path, file: str, problems: list[Problem]) -> TemplateContext:
    """Runs a project's `globals.py` and gives what it registered; what goes wrong in it is a problem."""
    found = TemplateContext()
    try:
        source = path.read_bytes()
    except OSError as error:
        if path.exists():
            problems.append(Problem(Place(file), f"cannot be read: {(error.strerror or 'error').lower()}"))
        return found
    module = ModuleType("globals")
    module.__file__ = str(path)
    with _loading, _cube_module(), _importable(path.parent):
        try:
            exec(compile(source, str(path), "exec"), module.__dict__)  # noqa: S102 - the project's own program
        except Exception as error:  # noqa: BLE001 - a program of the project's, which may fail in any way
            problems.append(failure(error, {str(path): file}))
            return found
    for one in vars(module).values():
        if isinstance(one, TemplateContext):
            found.functions |= one.functions
            found.filters |= one.filters
            found.variables |= one.variables
    return found


def failure(error: Exception, files: dict[str, str]) -> Problem:
    """What a project's Python raised, at the innermost line that is the project's."""
    if isinstance(error, SyntaxError) and error.filename in files:
        return Problem(
            Place(files[error.filename], error.lineno or 1, error.offset or 1), f"Python: {error.msg}"
        )
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename in files:
            place = Place(files[frame.filename], frame.lineno or 1)
            break
    else:
        place = Place(next(iter(files.values())))
    return Problem(place, f"{type(error).__name__}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0]
    return text if len(text) <= 200 else text[:199] + "…"


@contextmanager
def _cube_module() -> Iterator[None]:
    """`import cube` gives what a globals.py uses of Cube's package, while one is loaded."""
    shim = ModuleType("cube")
    shim.TemplateContext = TemplateContext  # type: ignore[attr-defined]
    shim.SafeString = SafeString  # type: ignore[attr-defined]
    shim.context_func = lambda function: function  # type: ignore[attr-defined]
    before = sys.modules.get("cube")
    sys.modules["cube"] = shim
    try:
        yield
    finally:
        if before is None:
            del sys.modules["cube"]
        else:
            sys.modules["cube"] = before


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Modules beside `globals.py` can be imported by it, and are read anew each time."""
    known = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        if str(folder) in sys.path:
            sys.path.remove(str(folder))
        for name in set(sys.modules) - known:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith(f"{folder}/"):
                del sys.modules[name]
