"""Tests of a project's policies: each case asks as somebody, and says what came out other than expected."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from ingot.errors import IngotError, NotFoundError, did_you_mean
from ingot.semantic.context import Context, of_user
from ingot.semantic.errors import QueryError
from ingot.semantic.model import Model

if TYPE_CHECKING:
    from ingot.project.policy_case import PolicyAsker, PolicyCase
    from ingot.project.users import User
    from ingot.semantic.answers.service import Service

SHOWN = 5
"""How many rows a failure tells of."""


def asker(spec: "PolicyAsker", users: "Mapping[str, User]") -> Context:
    """Who a case asks as: a user, or somebody with the groups of his token, where no others are given.

    Raises `NotFoundError` for a user who is not there.
    """
    if spec.user is not None:
        return user_of(spec.user, users)
    security = dict(spec.security_context)
    told = security.get("groups", ())
    return Context(security, tuple(spec.groups) or tuple(one for one in told if isinstance(one, str)))


def user_of(name: str, users: "Mapping[str, User]") -> Context:
    """Who a user is for policies. Raises `NotFoundError` where he is not there."""
    if name not in users:
        raise NotFoundError("user", name, users, hint="ingot user list")
    return of_user(users[name])


def failures(
    service: "Service", case: "PolicyCase", *, ref: str = "main", users: "Mapping[str, User] | None" = None
) -> list[str]:
    """Why a case fails, one sentence each; empty where it passes. `users` are those that cases may name."""
    try:
        context = asker(case.as_, users or {})
    except NotFoundError as error:
        return [error.message]
    try:
        whole, seen = service.model, service.seen(context)
    except IngotError as error:
        return [f"asking is refused: {error.message}"]
    checked = list(_members(case, whole, seen))
    return checked if case.query is None else [*checked, *_rows(service, case, context, ref)]


def _members(case: "PolicyCase", whole: Model, seen: Model) -> Iterable[str]:
    for name in (*case.sees, *case.masked):
        if name not in whole.members:
            yield f"there is no member '{name}'{did_you_mean(name, whole.members)}"
        elif name not in seen.members:
            yield f"'{name}' is hidden"
        elif is_masked(whole, seen, name) is not (name in case.masked):
            yield f"'{name}' is {'masked' if name in case.sees else 'not masked'}"
    for name in case.cannot_see:
        inside = [one for one in seen.members if one == name or one.startswith(f"{name}.")]
        if name not in whole.members and name not in whole.cubes and name not in whole.views:
            known = [*whole.members, *whole.cubes, *whole.views]
            yield f"there is no member, cube or view '{name}'{did_you_mean(name, known)}"
        elif inside:
            yield f"'{inside[0]}' can be seen" + (f", and {len(inside) - 1} more" if len(inside) > 1 else "")


def is_masked(whole: Model, seen: Model, name: str) -> bool:
    """Whether an asker sees the mask of a member that he may ask for."""
    member = seen.members[name].member
    return member is not whole.members[name].member and member in whole.policies.masks.values()


def _rows(service: "Service", case: "PolicyCase", context: Context, ref: str) -> list[str]:
    query = {key: value for key, value in (case.query or {}).items() if key != "responseFormat"}
    try:
        rows: list[dict[str, Any]] = service.load(query, ref=ref, multi=False, context=context)["data"]
    except QueryError as error:
        return [] if case.expect == "refused" else [f"the query is refused: {error.message}"]
    if case.expect == "refused":
        return [f"the query is not refused: it gives {len(rows)} rows"]
    found = []
    if case.expect is not None:
        found += _differences(rows, [dict(one) for one in case.expect if isinstance(one, Mapping)])
    if case.rows is not None and len(rows) != case.rows:
        found.append(f"{len(rows)} rows instead of {case.rows}")
    for member, allowed in case.every.items():
        known = {_written(one) for one in (allowed if isinstance(allowed, list | tuple) else [allowed])}
        others = [row.get(member) for row in rows if _written(row.get(member)) not in known]
        if others:
            found.append(f"{len(others)} rows have another {member}, such as {others[0]!r}")
    return found


def _differences(rows: list[dict[str, Any]], expected: list[dict[str, Any]]) -> list[str]:
    keys = list(dict.fromkeys(key for one in expected for key in one))
    had = Counter(tuple((key, _written(row.get(key))) for key in keys) for row in rows)
    wanted = Counter(tuple((key, _written(row.get(key))) for key in keys) for row in expected)
    found = [f"not expected: {_told(one)}" for one in (had - wanted).elements()]
    found += [f"missing: {_told(one)}" for one in (wanted - had).elements()]
    return [*found[:SHOWN], f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else found


def _told(row: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in row)


def _written(value: Any) -> str:
    """The same text for 3, 3.0 and "3"."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    try:
        return format(Decimal(str(value)).normalize(), "f")
    except InvalidOperation:
        return str(value)
