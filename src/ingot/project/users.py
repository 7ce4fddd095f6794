"""`users.yml`: who may log in with a password, and who he is for policies and hooks."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import orjson
from pydantic import Field, ValidationError

from ingot.project.auth import Auth
from ingot.project.explain import explain
from ingot.project.policy_case import Plain, plain
from ingot.project.problem import Problem, ProjectError
from ingot.project.read import fill, parsed, read_text, relative
from ingot.project.root import absolute
from ingot.project.spec import Frozen, Line, Named, Report, Some, Spec, Word
from ingot.project.tree import Map
from ingot.project.verifier import ITERATIONS, MOST_ITERATIONS, PATTERN, Verifier

FILE = "users.yml"


class User(Spec):
    """Somebody who may log in. Every key but the verifier may be left out."""

    kind: ClassVar[str] = "user"

    name: Line = Field(description="The name to log in with.")
    verifier: Word = Field(
        description="What is kept of the password, as PostgreSQL keeps it: SCRAM-SHA-256$…, written by "
        "`ingot user add` or taken from a PostgreSQL's pg_authid.",
        json_schema_extra={"pattern": PATTERN},
    )
    groups: Some[Word] = Field((), description="The groups that he is in, for policies.")
    security: Plain = Field(
        default_factory=Frozen,
        description="His security context, for policies and hooks; `user`, his name, is added.",
    )

    @classmethod
    def inspect(cls, data: Map, report: Callable[..., None]) -> None:
        try:
            orjson.dumps(plain(data.get("security")))
        except TypeError:
            report(
                "security",
                f"'security' of {cls.called(data)} cannot be written as JSON",
                expected="numbers of 64 bits",
            )
        text = data.get("verifier")
        if not isinstance(text, str) or not text:
            return
        found = Verifier.read(text)
        if found is None:
            # What stands there may be the password itself.
            report(
                "verifier",
                f"the verifier of {cls.called(data)} is none",
                expected="SCRAM-SHA-256$…, as `ingot user passwd` writes it",
            )
        elif not ITERATIONS <= found.iterations <= MOST_ITERATIONS:
            report(
                "verifier",
                f"the verifier of {cls.called(data)} has {found.iterations} iterations",
                expected=f"{ITERATIONS} to {MOST_ITERATIONS}",
            )

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield from (part for part in super().__repr_args__() if part[0] != "verifier")

    @property
    def scram(self) -> Verifier:
        """The verifier."""
        found = Verifier.read(self.verifier)
        assert found is not None, "it was looked at when the file was read"
        return found


class Users(Spec):
    """Who may log in with a password, over SQL and HTTP. `ingot user add` writes it; there are no passwords in it."""

    kind: ClassVar[str] = "users.yml"

    users: Named[User] = Field((), description="The users by name.")

    @classmethod
    def called(cls, data: Any) -> str:  # noqa: ARG003
        return "users.yml"


def users_file(root: Path, auth: Auth | None) -> Path:
    """Where the users of a project are, or would be."""
    return absolute(auth.users if auth is not None and auth.users is not None else FILE, root)


def read_users(
    path: Path, root: Path, environ: Mapping[str, str], problems: list[Problem]
) -> tuple[User, ...]:
    """The users of a file. Adds what is wrong to `problems`, and gives nobody then."""
    name = relative(path, root)
    text = read_text(path, name, problems)
    return () if text is None else users_of(text, name, environ, problems)


def users_of(text: str, file: str, environ: Mapping[str, str], problems: list[Problem]) -> tuple[User, ...]:
    """The users of a file's text. Adds what is wrong to `problems`, and gives nobody then."""
    before = len(problems)
    tree = parsed(text, file, problems)
    if tree is None:
        return ()
    tree = fill(tree, environ, problems)
    try:
        found = Users.model_validate(tree, context=Report(problems)).users
    except ValidationError as error:
        problems.extend(explain(Users, tree, error))
        return ()
    return found if len(problems) == before else ()


def load_users(path: Path, root: Path, environ: Mapping[str, str]) -> tuple[User, ...]:
    """The users of a file. Raises `ProjectError` with every mistake in it."""
    problems: list[Problem] = []
    found = read_users(path, root, environ, problems)
    if problems:
        raise ProjectError(problems)
    return found
