"""The templates of one semantic folder: their sandbox, what they import, and their text for a compile context."""

import posixpath
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from ingot.errors import nearest
from ingot.project.place import Mark, Place
from ingot.project.problem import Problem
from ingot.project.rendering.compile_context import ContextError, Part, Reads
from ingot.project.rendering.lines import Lines, lines_of
from ingot.project.rendering.python import FILE, TemplateContext, load_globals

if TYPE_CHECKING:
    from jinja2 import Template

    from ingot.project.rendering.sandbox import Sandbox

MAX_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text of a template for one compile context, and how its lines are found in the template."""

    text: str
    lines: Lines

    def where(self, at: Mark) -> Mark:
        """The place in the template that a place in the text came from."""
        return self.lines(at)


def is_template(text: str) -> bool:
    """Whether Jinja has anything to do in a file."""
    return "{%" in text or "{{" in text or "{#" in text


class Templates:
    """Renders the templates of a folder. Files that they import are read once. For several threads."""

    def __init__(self, folder: Path, shown: str) -> None:
        """`shown` is the folder as places name it."""
        self.folder = folder
        self._shown = shown
        self._lock = Lock()
        self._sandbox: Sandbox | None = None
        self._failed = False
        self._texts: dict[str, str] = {}
        self._compiled: dict[tuple[str, str], tuple[Template, Template]] = {}
        self._known: set[str] = set()

    @property
    def files(self) -> list[Path]:
        """The files that were read beside the templates themselves."""
        found = [self.folder / name for name in self._texts]
        return [self.folder / FILE, *found] if self._sandbox is not None else found

    def render(
        self, name: str, text: str, security: Mapping[str, Any], reads: Reads, problems: list[Problem]
    ) -> Rendered | None:
        """The text of the template `name` (below the folder); None where it has problems, which are added.

        What is read of the security context is added to `reads`.
        """
        with self._lock:
            sandbox = self._environment(problems)
            if sandbox is None:
                return None
        from ingot.project.rendering.sandbox import Budget, budget  # noqa: PLC0415 - loads Jinja

        reset = budget.set(Budget())
        try:
            plain, marked = self._template(sandbox, name, text)
            output = _output(plain, security, reads)
        except ContextError as error:
            problems.append(Problem(Place(self._file(name)), str(error)))
            return None
        except Exception as error:  # noqa: BLE001 - functions of the project's own may raise anything
            problems.append(self._problem(error, name))
            return None
        finally:
            budget.reset(reset)
        with_marks = None
        reset = budget.set(Budget())
        # What a function of the project does the second time is its own; places are then matched by text.
        with suppress(Exception):
            with_marks = _output(marked, security, Reads())
        budget.reset(reset)
        return Rendered(output, lines_of(output, with_marks, text))

    def source(self, name: str) -> str | None:
        """The text of a file below the folder; None where it is none that can be read."""
        if name not in self._texts:
            path = self.folder / name
            try:
                if not path.resolve().is_relative_to(self.folder.resolve()) or not path.is_file():
                    return None
                with path.open("rb") as stream:
                    data = stream.read(MAX_BYTES + 1)
                if len(data) > MAX_BYTES:
                    return None
                self._texts[name] = data.decode("utf-8-sig")
            except (OSError, UnicodeDecodeError, ValueError):
                return None
        return self._texts[name]

    def _environment(self, problems: list[Problem]) -> "Sandbox | None":
        if self._sandbox is None and not self._failed:
            from jinja2 import FunctionLoader  # noqa: PLC0415 - only who has templates pays for Jinja

            from ingot.project.rendering.sandbox import Sandbox  # noqa: PLC0415

            before = len(problems)
            own = load_globals(self.folder / FILE, self._file(FILE), problems)
            if len(problems) > before:
                self._failed = True
                return None
            sandbox = Sandbox(FunctionLoader(self._loaded), self._joined)
            self._install(sandbox, own)
            self._sandbox = sandbox
        return self._sandbox

    def _install(self, sandbox: "Sandbox", own: TemplateContext) -> None:
        sandbox.globals |= own.variables | own.functions
        sandbox.filters |= own.filters
        self._known = {"COMPILE_CONTEXT", "namespace", "range", *own.variables, *own.functions}

    def _loaded(self, name: str) -> tuple[str, str, None] | None:
        text = self.source(name)
        return None if text is None else (text, name, None)

    def _joined(self, name: str, parent: str) -> str:
        """The file that a template means: below the folder, or beside the template."""
        here = posixpath.normpath(name.lstrip("/"))
        if name.startswith("/") or (not here.startswith("..") and self.source(here) is not None):
            return here
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(parent), name))
        return here if beside.startswith("..") or self.source(beside) is None else beside

    def _template(self, sandbox: "Sandbox", name: str, text: str) -> "tuple[Template, Template]":
        key = (name, text)
        with self._lock:
            if key not in self._compiled:
                code = sandbox.compile(text, name, name)
                plain = sandbox.template_class.from_code(sandbox, code, sandbox.make_globals(None))
                self._compiled[key] = plain, sandbox.compiled_with_marks(text, name)
            return self._compiled[key]

    def _file(self, name: str) -> str:
        return posixpath.normpath(posixpath.join(self._shown, name))

    def _problem(self, error: Exception, name: str) -> Problem:
        from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError  # noqa: PLC0415

        if isinstance(error, TemplateSyntaxError):
            said = error.message or "not valid"
            return Problem(Place(self._file(error.name or name), error.lineno), f"Jinja: {said}")
        at = Place(self._file(name))
        python = None
        frame = error.__traceback__
        while frame is not None:
            template = frame.tb_frame.f_globals.get("__jinja_template__")
            if template is not None:
                at = Place(
                    self._file(template.name or name), template.get_corresponding_lineno(frame.tb_lineno)
                )
                python = None
            elif frame.tb_frame.f_code.co_filename.startswith(f"{self.folder}/"):
                file = frame.tb_frame.f_code.co_filename[len(str(self.folder)) + 1 :]
                python = f"{self._file(file)}:{frame.tb_lineno}"
            frame = frame.tb_next
        if isinstance(error, TemplateNotFound):
            return Problem(at, f"Jinja: there is no file '{error.name}'", f"a file below {self._shown}")
        text = str(error).strip().partition("\n")[0][:200]
        if isinstance(error, UndefinedError):
            found = text.partition("'")[2].partition("'")[0]
            if text.endswith("in the COMPILE_CONTEXT"):
                return Problem(
                    at, f"Jinja: {text}", "a default(…), or a value in semantic.compile_context of ingot.yml"
                )
            return Problem(at, f"Jinja: {text}", nearest=nearest(found, self._known))
        if isinstance(error, RecursionError):
            return Problem(at, "Jinja: the template calls itself without an end")
        kind = "" if type(error).__module__.startswith(("jinja2", "ingot")) else f"{type(error).__name__}: "
        return Problem(at, f"Jinja: {kind}{text}{f' (in {python})' if python else ''}")


def _output(template: "Template", security: Mapping[str, Any], reads: Reads) -> str:
    from ingot.project.rendering.sandbox import MAX_TEXT, LimitError  # noqa: PLC0415

    context = template.new_context({"COMPILE_CONTEXT": Part(security, reads)})
    pieces = []
    size = 0
    for piece in template.root_render_func(context):
        size += len(piece)
        if size > MAX_TEXT:
            raise LimitError(f"the template makes more than {MAX_TEXT:,} characters")
        pieces.append(piece)
    return "".join(pieces)
