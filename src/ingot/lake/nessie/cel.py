"""Filters: the part of the Common Expression Language that Nessie's clients and its documentation use.

Literals, lists, fields, `[...]`, comparisons, `in`, `!`, `&&`, `||`, `size`, `timestamp`, `startsWith`,
`endsWith`, `contains`, `exists` and `all`. Anything else is refused by name; nothing is ever ignored.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from ingot.lake.metadata.document import shown
from ingot.lake.nessie.answer import NessieError, bad_request

Scope: TypeAlias = Mapping[str, Any]
Node: TypeAlias = Callable[[Scope], Any]

_LONGEST = 10_000
_DEEPEST = 25
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<number>-?[0-9]{1,18}(?![0-9.]))"""
    r"""|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>\|\||&&|[=!<>]=|[<>!()\[\].,]))""",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CONSTANTS = {"true": True, "false": False, "null": None}
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
_TEXT: dict[str, Callable[[str, str], bool]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": str.__contains__,
}


def compile_filter(source: str) -> Callable[[Scope], bool]:
    """A function that says whether the variables pass the filter; raises a 400 for what is not understood."""
    if len(source) > _LONGEST:
        raise bad_request(f"The filter is longer than {_LONGEST} characters.")
    node = _Parser(source).parse()

    def passes(scope: Scope) -> bool:
        return _truth(node(scope), source)

    return passes


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = self._split(source)
        self._at = 0
        self._depth = 0

    def parse(self) -> Node:
        node = self._or()
        if self._peek() is not None:
            raise self._error(f"{shown(self._peek())} was not expected")
        return node

    def _split(self, source: str) -> list[str]:
        found, at = [], 0
        end = len(source.rstrip())
        while at < end:
            token = _TOKEN.match(source, at)
            if token is None:
                raise self._error(f"{shown(source[at : at + 20])} is not understood")
            found.append(token[0].strip() if token["text"] is None else token["text"])
            at = token.end()
        return found

    def _error(self, what: str) -> NessieError:
        return bad_request(f"The filter {shown(self._source)} cannot be used: {what}.")

    def _peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> str:
        token = self._peek()
        if token is None:
            raise self._error("it ends too early")
        self._at += 1
        return token

    def _take(self, sign: str) -> bool:
        if self._peek() == sign:
            self._at += 1
            return True
        return False

    def _must(self, sign: str) -> None:
        found = self._next()
        if found != sign:
            raise self._error(f"{sign!r} was expected, not {shown(found)}")

    def _or(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error("it is nested too deeply")
        source = self._source
        nodes = [self._and()]
        while self._take("||"):
            nodes.append(self._and())
        self._depth -= 1
        if len(nodes) == 1:
            return nodes[0]
        return lambda scope: any(_truth(node(scope), source) for node in nodes)

    def _and(self) -> Node:
        source = self._source
        nodes = [self._relation()]
        while self._take("&&"):
            nodes.append(self._relation())
        if len(nodes) == 1:
            return nodes[0]
        return lambda scope: all(_truth(node(scope), source) for node in nodes)

    def _relation(self) -> Node:
        left = self._not()
        sign = self._peek()
        if sign not in ("==", "!=", "in", *_ORDERED):
            return left
        self._at += 1
        right = self._not()
        if sign == "==":
            return lambda scope: left(scope) == right(scope)
        if sign == "!=":
            return lambda scope: left(scope) != right(scope)
        if sign == "in":
            return lambda scope: self._within(left(scope), right(scope))
        compare = _ORDERED[sign]

        def ordered(scope: Scope) -> bool:
            one, other = left(scope), right(scope)
            if type(one) is not type(other) or not isinstance(one, (str, int, datetime)):
                raise self._error(f"{shown(one)} and {shown(other)} cannot be compared")
            return compare(one, other)

        return ordered

    def _within(self, item: object, group: object) -> bool:
        if isinstance(group, dict):
            return self._typed(item, str) in group
        return item in self._typed(group, list, dict)

    def _not(self) -> Node:
        turns = 0
        while self._take("!"):
            turns += 1
        node, source = self._member(), self._source
        if turns == 0:
            return node
        return lambda scope: _truth(node(scope), source) is (turns % 2 == 0)

    def _member(self) -> Node:
        node = self._primary()
        while True:
            if self._take("."):
                node = self._field(node, self._next())
            elif self._take("["):
                node = self._item(node, self._or())
                self._must("]")
            else:
                return node

    def _field(self, node: Node, name: str) -> Node:
        if not name.isidentifier():
            raise self._error(f"{shown(name)} is not the name of a field")
        if not self._take("("):
            return lambda scope: self._known(self._typed(node(scope), dict), name)
        if name in ("exists", "all"):
            return self._each(node, any if name == "exists" else all)
        if name == "size":
            self._must(")")
            return lambda scope: len(self._typed(node(scope), str, list, dict))
        argument = self._or()
        self._must(")")
        if name not in _TEXT:
            raise self._error(f"there is no function '{name}' here")
        test = _TEXT[name]
        return lambda scope: test(self._typed(node(scope), str), self._typed(argument(scope), str))

    def _each(self, node: Node, quantifier: Callable[[Any], bool]) -> Node:
        variable = self._next()
        self._must(",")
        test = self._or()
        self._must(")")
        return lambda scope: quantifier(
            _truth(test({**scope, variable: item}), self._source) for item in self._typed(node(scope), list)
        )

    def _item(self, node: Node, index: Node) -> Node:
        def item(scope: Scope) -> Any:
            found, at = self._typed(node(scope), dict, list), index(scope)
            if isinstance(found, dict):
                return found.get(self._typed(at, str))
            place = self._typed(at, int)
            if not 0 <= place < len(found):
                raise self._error(f"there is no element {place}")
            return found[place]

        return item

    def _primary(self) -> Node:
        token = self._next()
        if token == "(":  # noqa: S105 - a parenthesis
            node = self._or()
            self._must(")")
            return node
        if token == "[":  # noqa: S105 - a bracket
            items: list[Node] = []
            while not self._take("]"):
                if items:
                    self._must(",")
                items.append(self._or())
            return lambda scope: [item(scope) for item in items]
        if token[0] in "'\"":
            text = _ESCAPE.sub(lambda found: found[1], token[1:-1])
            return lambda _: text
        if token.lstrip("-").isdigit():
            number = int(token)
            return lambda _: number
        if token in _CONSTANTS:
            return lambda _: _CONSTANTS[token]
        if not token.isidentifier():
            raise self._error(f"{shown(token)} was not expected")
        return self._call(token) if self._take("(") else lambda scope: self._known(scope, token)

    def _call(self, name: str) -> Node:
        argument = self._or()
        self._must(")")
        if name == "size":
            return lambda scope: len(self._typed(argument(scope), str, list, dict))
        if name == "timestamp":
            return lambda scope: self._time(argument(scope))
        raise self._error(f"there is no function '{name}' here")

    def _time(self, value: object) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromisoformat(str(value))
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise self._error(f"{shown(value)} is not a time") from error

    def _known(self, scope: Mapping[str, Any], name: str) -> Any:
        if name not in scope:
            raise self._error(f"there is no '{name}', only {', '.join(sorted(scope)) or 'nothing'}")
        return scope[name]

    def _typed(self, value: Any, *types: type) -> Any:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise self._error(f"{shown(value)} is not a {' or '.join(_WORDS[one] for one in types)}")
        return value


_WORDS = {str: "string", list: "list", dict: "map", int: "number"}


def _truth(value: object, source: str) -> bool:
    if not isinstance(value, bool):
        raise bad_request(f"The filter {shown(source)} cannot be used: {shown(value)} is not true or false.")
    return value
