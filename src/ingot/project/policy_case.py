"""`policies/*.yml`: what askers must and must not see, as tests of the access policies."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, ValidationError

from ingot.project.explain import explain
from ingot.project.problem import Problem, ProjectError
from ingot.project.read import read, relative, yaml_files
from ingot.project.spec import Frozen, Options, Report, Some, Spec, Word
from ingot.project.tree import Float, Int, Map

FOLDER = "policies"


def plain(value: Any) -> Any:
    """A value of a file as JSON has it."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, Int | Float):
        return int(value) if isinstance(value, Int) else float(value)
    return value


Plain = Annotated[Options, BeforeValidator(plain)]


class PolicyAsker(Spec):
    """Who asks in a case."""

    kind: ClassVar[str] = "asker"

    user: Word | None = Field(None, description="A user of users.yml, with his groups and security context.")
    groups: Some[Word] = Field((), description="The groups that he is in.")
    security_context: Plain = Field(default_factory=Frozen, description="What his token says.")

    @classmethod
    def inspect(cls, data: Map, report: Callable[..., None]) -> None:
        others = {"groups", "security_context"} & data.keys()
        if "user" in data and others:
            report(min(others), f"{cls.called(data)} is a user, whose groups and context users.yml has")


class PolicyCase(Spec):
    """One asker, and what he sees."""

    kind: ClassVar[str] = "case"

    name: Word = Field(description="What is tested, in words.")
    as_: PolicyAsker = Field(
        PolicyAsker(), alias="as", description="Who asks. Default: nobody in particular."
    )
    sees: Some[Word] = Field((), description="Members whose values he sees.")
    masked: Some[Word] = Field((), description="Members of which he sees the mask.")
    cannot_see: Some[Word] = Field((), description="Members, cubes and views that are hidden from him.")
    query: Plain | None = Field(None, description="A query that he asks, as in the REST API.")
    expect: Literal["refused"] | Annotated[tuple[Plain, ...], BeforeValidator(plain)] | None = Field(
        None, description="The rows of the answer in any order, or 'refused'."
    )
    rows: int | None = Field(None, description="How many rows the answer has.")
    every: Plain = Field(
        default_factory=Frozen, description="Members, and the values that rows may have there."
    )

    @classmethod
    def inspect(cls, data: Map, report: Callable[..., None]) -> None:
        asks = {"expect", "rows", "every"} & data.keys()
        if ("query" in data) != bool(asks):
            report(
                None,
                f"{cls.called(data)} needs both a 'query' and what is expected",
                expected="expect, rows or every",
            )
        elif not ({"sees", "masked", "cannot_see", "query"} & data.keys()):
            report(None, f"{cls.called(data)} checks nothing", expected="sees, masked, cannot_see or query")


class PolicyCases(Spec):
    """A file of cases."""

    kind: ClassVar[str] = "file of policy cases"

    cases: tuple[PolicyCase, ...] = Field((), description="The cases.")


def policy_cases(root: Path) -> tuple[PolicyCase, ...]:
    """The cases of all files of a project's folder `policies`, in the order of their names.

    Raises:
        ProjectError: with every mistake of every file.
    """
    report = Report()
    problems: list[Problem] = report.problems
    found: list[PolicyCase] = []
    for path in yaml_files(root / FOLDER):
        tree = read(path, relative(path, root), problems)
        if tree is None:
            continue
        try:
            found += PolicyCases.model_validate(tree, context=report).cases
        except ValidationError as error:
            problems.extend(explain(PolicyCases, tree, error))
    if problems:
        raise ProjectError(problems)
    return tuple(found)
