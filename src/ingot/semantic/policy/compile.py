"""`access_policy` of cubes and views, as the files say it -> `Policies`, every mistake with its file and line.

What a cube or view extends hands its entries down: those of the extending one are added to them, as in Cube.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ingot.project import problem
from ingot.semantic.compiler.members import CompiledMembers
from ingot.semantic.model import Cube, Dimension, Found, Segment, View
from ingot.semantic.planner.joins import to_many
from ingot.semantic.policy.expression import ExpressionError, parse
from ingot.semantic.policy.masks import masks
from ingot.semantic.policy.policies import (
    Entry,
    Piece,
    Policies,
    Policy,
    RowCondition,
    RowGroup,
    RowTree,
)

if TYPE_CHECKING:
    from ingot.semantic.compiler.declared import Declared

_ALL = ("*", ("*",))
_WITHOUT_VALUES = ("set", "notSet")
_ONE_VALUE = ("gt", "gte", "lt", "lte")
_BRACES = re.compile(r"\$?\{([^{}]*)\}")


def policies(
    declared: "Declared",
    compiled: Mapping[str, Any],
    cubes: Mapping[str, Cube],
    views: Mapping[str, View],
    found: Mapping[str, Found],
) -> Policies:
    """All policies; `found` are the members by full name, `compiled` is the COMPILE_CONTEXT."""
    made: dict[str, Policy] = {}
    for name, cube in cubes.items():
        lineage = declared.lineages[name]
        if not _is_written(lineage):
            continue
        known = {n: found[f"{name}.{n}"] for n in (*cube.dimensions, *cube.measures, *cube.segments)}
        made[name] = Policy(name, _Owner(declared, name, known, known, is_view=False).entries(lineage))
    for view in views.values():
        if not _is_written(view.specs):
            continue
        own = {n: found[f"{view.name}.{n}"] for n in view.members}
        parts = [
            one for one in views.values() if one.specs and view.specs and one.specs[-1] is view.specs[-1]
        ]
        whole = {n: found[f"{one.name}.{n}"] for one in parts for n in one.members}
        made[view.name] = Policy(
            view.name, _Owner(declared, view.name, own, whole, is_view=True).entries(view.specs)
        )
    wanted = {name for one in made.values() for entry in one.entries for name in _full(one.owner, entry)}
    if not made:
        return Policies()
    members = CompiledMembers(declared, compiled)
    for cube in cubes.values():
        members.known(cube)
    return Policies(made, masks(members, wanted, found))


def _is_written(lineage: Sequence[Any]) -> bool:
    """Whether there is a policy; `access_policy: []`, too, is one: it shows nothing to anybody."""
    return any("access_policy" in one.model_fields_set for one in lineage)


def _full(owner: str, entry: Entry) -> Iterable[str]:
    return (f"{owner}.{name}" for name in entry.masked)


class _Owner:
    """The policy of one cube or view. `known` are its members, `whole` also those of parts that it is split into."""

    def __init__(
        self,
        declared: "Declared",
        name: str,
        known: Mapping[str, Found],
        whole: Mapping[str, Found],
        *,
        is_view: bool,
    ) -> None:
        self.declared = declared
        self.name = name
        self.known = known
        self.whole = whole
        self.is_view = is_view

    def entries(self, lineage: Sequence[Any]) -> tuple[Entry, ...]:
        """The entries of all that it is made of."""
        return tuple(self.entry(spec) for one in lineage for spec in one.access_policy)

    def report(self, spec: Any, message: str, **more: Any) -> None:
        place = spec.place
        said = problem(place, f"the access policy of '{self.name}': {message}", **more)
        # Split views and what extends another have the same entries: one mistake is one problem.
        if all((one.place, one.message) != (said.place, said.message) for one in self.declared.problems):
            self.declared.problems.append(said)

    def entry(self, spec: Any) -> Entry:
        groups = [one for one in (spec.group, spec.role, *spec.groups) if one]
        if not groups:
            self.report(spec, "an entry does not say for whom it is", expected="group: a name, or '*'")
        if sum(map(bool, (spec.group, spec.role, spec.groups))) > 1:
            self.report(spec, "an entry has one of 'group', 'groups' and 'role'")
        conditions = [made for one in spec.conditions if (made := self.condition(one)) is not None]
        full = self.members(spec.member_level) if spec.member_level is not None else frozenset(self.known)
        masked: frozenset[str] = frozenset()
        if spec.member_masking is not None:
            if spec.member_level is None:
                what = "'member_masking' stands beside 'member_level', which says what is not masked"
                self.report(spec.member_masking, what, expected="member_level: {includes: [...]}")
            masked = self.maskable(spec.member_masking) - full
        return Entry(tuple(groups), tuple(conditions), full, masked, self.rows(spec), spec.place)

    def condition(self, spec: Any) -> Any:
        text = {True: "true", False: "false"}.get(spec.if_, spec.if_)
        try:
            return parse(text)
        except ExpressionError as error:
            self.report(spec, str(error), expected="such as \"{ security_context.country == 'IT' }\"")
            return parse("false")

    def members(self, spec: Any) -> frozenset[str]:
        includes = set(self.whole) if spec.includes in _ALL else self.named(spec, spec.includes)
        excludes = set(self.whole) if spec.excludes in _ALL else self.named(spec, spec.excludes)
        return frozenset(name for name in includes - excludes if name in self.known)

    def maskable(self, spec: Any) -> frozenset[str]:
        found = self.members(spec)
        for name in spec.includes if spec.includes not in _ALL else ():
            one = self.whole.get(self.plain(name))
            if one is not None and isinstance(one.member, Segment):
                self.report(spec, f"'{name}' is a segment, which has no value that could be masked")
        return frozenset(name for name in found if not isinstance(self.known[name].member, Segment))

    def named(self, spec: Any, names: Iterable[str]) -> set[str]:
        found = set()
        for written in names:
            name = self.plain(written)
            if name in self.whole:
                found.add(name)
            else:
                self.report(spec, f"there is no member '{written}'", known=self.whole, name=name)
        return found

    def plain(self, written: str) -> str:
        owner, _, name = written.strip("${} ").rpartition(".")
        return name if owner in ("", "CUBE", "TABLE", self.name) else written

    # -- rows ------------------------------------------------------------------------------------------

    def rows(self, spec: Any) -> RowTree | None:
        level = spec.row_level
        if level is None:
            return None
        if level.allow_all and level.filters:
            self.report(level, "'allow_all' and 'filters' exclude each other")
        if level.allow_all:
            return None
        # Neither all rows nor a filter: no row.
        if not level.filters:
            return RowGroup(False, ())
        return RowGroup(True, tuple(self.filter(one) for one in level.filters))

    def filter(self, spec: Any) -> RowTree:
        if spec.member is None:
            return RowGroup(bool(spec.and_), tuple(self.filter(one) for one in spec.and_ or spec.or_))
        name = self.plain(spec.member)
        found = self.whole.get(name)
        if found is None:
            self.report(
                spec, f"a row filter on '{spec.member}', which is no member", known=self.whole, name=name
            )
            return RowGroup(False, ())
        if (why := self.unfit(found)) is not None:
            self.report(spec, f"a row filter on '{spec.member}', {why}")
            return RowGroup(False, ())
        if spec.operator == "measureFilter":
            self.report(spec, "a row filter cannot be a measureFilter")
        elif not spec.values and spec.operator not in _WITHOUT_VALUES:
            self.report(spec, f"the row filter on '{spec.member}' has no 'values'")
        elif len(spec.values) != 1 and spec.operator in _ONE_VALUE:
            self.report(spec, f"the row filter on '{spec.member}' takes one value for '{spec.operator}'")
        return RowCondition(
            found, spec.operator, tuple(self.value(spec, one) for one in spec.values), spec.place
        )

    def unfit(self, found: Found) -> str | None:
        if not isinstance(found.member, Dimension):
            return "which is not a dimension: a policy filters rows, not groups"
        paths = found.member.paths
        if any(cube not in self.declared.cubes for path in paths for cube in path):
            return "which is computed by a sub-query"
        if self.is_view:
            return None
        for left, right in (step for path in paths for step in pairwise(path)):
            if to_many(self.declared.edges, left, right):
                return f"of which a row of '{left}' can have several, as many as it has rows of '{right}'"
        return None

    def value(self, spec: Any, text: str | None) -> tuple[Piece, ...] | None:
        if text is None:
            return None
        pieces: list[Piece] = []
        for n, part in enumerate(_BRACES.split(text)):
            if n % 2 == 0:
                pieces += [part] if part else []
                continue
            try:
                pieces.append(parse(part))
            except ExpressionError as error:
                self.report(spec, str(error), expected='such as "{ security_context.country }"')
        # An empty text is a value, too.
        whole = [one for one in pieces if not isinstance(one, str) or one.strip()]
        return tuple(whole if len(whole) == 1 and not isinstance(whole[0], str) else pieces)
