"""The base of everything that is read from a project file, and the kinds of values that the files use.

A spec is a frozen pydantic model that knows its place. Validating one with a `Report` as context collects
problems with places instead of raising at the first mistake; `ingot.project.explain` words them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, NoReturn, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PrivateAttr,
    StringConstraints,
    Tag,
    ValidationError,
    ValidationInfo,
    WrapValidator,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from ingot.project.environment import FromEnv, concealed
from ingot.project.explain import explain
from ingot.project.place import NOWHERE, Marks, Place
from ingot.project.problem import Problem, problem
from ingot.project.tree import Float, Int, Map, Seq

REPORTED = "reported"
"""The type of a pydantic error whose problem was already reported where it happened."""


@dataclass(slots=True)
class Report:
    """Where the problems of one validation are collected."""

    problems: list[Problem] = field(default_factory=list)


class Frozen(dict[str, Any]):
    """A mapping that cannot be changed."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a project's values cannot be changed")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return Frozen, (dict(self),)


def frozen(value: Any) -> Any:
    """The value with plain numbers, tuples for lists and `Frozen` for mappings."""
    if isinstance(value, dict):
        return Frozen({key: frozen(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(frozen(item) for item in value)
    if isinstance(value, Int):
        return int(value)
    if isinstance(value, Float):
        return float(value)
    return value


class Spec(BaseModel):
    """Something read from a project file."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True, defer_build=True
    )

    kind: ClassVar[str] = "file"
    """What a message calls it."""
    renames: ClassVar[Mapping[str, str]] = {}
    """Older names of keys that still work."""
    rules: ClassVar[Mapping[str, Any]] = {}
    """What `inspect` demands, as far as JSON Schema can say it."""

    _marks: Marks | None = PrivateAttr(default=None)
    _secret: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def place(self) -> Place:
        """Where it stands; `<code>` for a spec that was made in Python."""
        return self._marks.place if self._marks else NOWHERE

    def place_of(self, key: str) -> Place:
        """Where the value of a key stands; the spec's own place where the key is not written."""
        return self._marks.value(key) if self._marks else NOWHERE

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """The keys that the file may have."""
        return tuple(info.alias or name for name, info in cls.model_fields.items())

    @classmethod
    def inspect(cls, data: Map, report: Callable[..., None]) -> None:
        """Reports what the types alone cannot see; `report(key or place, message, known=…, expected=…)`."""

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, data: Any, handler: Callable[[Any], Self], info: ValidationInfo) -> Self:
        if not isinstance(data, Map) or not isinstance(info.context, Report):
            return handler(data)
        problems = info.context.problems
        before = len(problems)
        known = cls._known(data, problems)

        def report(at: str | Place | None, message: str, **more: Any) -> None:
            place = at if isinstance(at, Place) else data.marks.value(at) if at else data.marks.place
            problems.append(problem(place, message, **more))

        cls.inspect(known, report)
        try:
            made = handler(known)
        except ValidationError as error:
            problems.extend(explain(cls, known, error))
            raise PydanticCustomError(REPORTED, "reported") from None
        if len(problems) > before:
            raise PydanticCustomError(REPORTED, "reported")
        made._marks = data.marks  # noqa: SLF001 - its own class
        made._secret = {key: value.template for key, value in known.items() if isinstance(value, FromEnv)}  # noqa: SLF001
        return made

    @classmethod
    def _known(cls, data: Map, problems: list[Problem]) -> Map:
        """The entries with known keys under their present names; nulls mean the default."""
        keys = cls.keys()
        known = Map(data.marks)
        for key, value in data.items():
            now = cls.renames.get(key, key)
            if now not in keys:
                at = f" in {cls.called(data)}" if cls.called(data) else ""
                problems.append(problem(data.marks.key(key), f"unknown key '{key}'{at}", known=keys))
            elif now in known:
                problems.append(
                    Problem(data.marks.key(key), f"'{key}' says the same as '{now}', which is there too")
                )
            elif value is not None:
                known[now] = value
                if now != key:
                    data.marks.keys[now] = data.marks.keys[key]
                    data.marks.values[now] = data.marks.values[key]
        return known

    @classmethod
    def called(cls, data: Mapping[str, Any]) -> str:
        """How a message names it: kind and name."""
        name = data.get("name")
        return f"{cls.kind} '{concealed(name)}'" if isinstance(name, str) else cls.kind

    def __repr_args__(self) -> Any:
        for name, info in type(self).model_fields.items():
            value = getattr(self, name)
            if value != info.get_default(call_default_factory=True):
                yield name, self._secret.get(info.alias or name, value)

    @model_serializer(mode="plain")
    def _dump(self) -> dict[str, Any]:
        """By the file's keys, values from the environment as the file spells them."""
        return {
            (info.alias or name): self._secret.get(info.alias or name, concealed(getattr(self, name)))
            for name, info in type(self).model_fields.items()
        }


def _text(value: Any, handler: Callable[[Any], Any]) -> Any:
    # pydantic makes an exact `str` of a FromEnv, which would forget that it is a secret.
    checked = handler(value.text if isinstance(value, Int | Float) else value)
    return value if isinstance(value, FromEnv) and value == checked else checked


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("number_type", "not a number")
    return value


PATH = r"^[^\x00-\x1f]+$"
_as_text = WrapValidator(_text)

Text = Annotated[str, _as_text]
Word = Annotated[str, StringConstraints(min_length=1), _as_text]
"""Text that is not empty."""
PathText = Annotated[str, StringConstraints(pattern=PATH, max_length=4096), _as_text]
"""A path or URI."""
LINE = r"^[^\x00-\x1f\x7f]+$"
Line = Annotated[str, StringConstraints(pattern=LINE, max_length=128), _as_text]
"""A name of any characters but control characters."""
Whole = Annotated[int, BeforeValidator(_number)]
Positive = Annotated[int, Field(ge=1), BeforeValidator(_number)]
Options = Annotated[Mapping[str, Any], AfterValidator(frozen)]
"""Any keys and values."""

IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_]*$"
SLUG = r"^[A-Za-z0-9_][A-Za-z0-9_-]*$"
MEMBER = r"^[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*$"
Identifier = Annotated[str, StringConstraints(pattern=IDENTIFIER, max_length=128), _as_text]
Slug = Annotated[str, StringConstraints(pattern=SLUG, max_length=128), _as_text]
Member = Annotated[str, StringConstraints(pattern=MEMBER), _as_text]

Words = Annotated[Mapping[Word, Word], AfterValidator(Frozen)]

T = TypeVar("T")


def _one_or_more(value: Any) -> Any:
    if isinstance(value, str | Int | Float):
        return [value]
    return value


class _OneOrMore:
    """One value where a list is expected is a list of one."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_one_or_more, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        listed = handler(schema)
        return {"anyOf": [listed, listed.get("items", {})]}


Some = Annotated[tuple[T, ...], _OneOrMore()]
"""A list, or one value without the brackets."""


class _ByName:
    """A list of specs with `name`, or a mapping of name to spec: both become a tuple of specs."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_before_validator_function(_by_name, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        listed = handler(schema)
        item = listed["items"]
        return {
            "anyOf": [
                {"type": "array", "items": {**item, "required": ["name"]}},
                {"type": "object", "additionalProperties": item},
            ]
        }


Named = Annotated[tuple[T, ...], _ByName()]


def _by_name(value: Any, info: ValidationInfo) -> Any:
    problems = info.context.problems if isinstance(info.context, Report) else None
    if isinstance(value, Map):
        made = Seq(value.marks.file, value.marks.at)
        for name, item in value.items():
            at = value.marks.values[name]
            if isinstance(item, Map):
                entry = Map(
                    Marks(item.marks.file, item.marks.at, dict(item.marks.keys), dict(item.marks.values)),
                    dict(item),
                )
            elif item is None:
                entry = Map(Marks(value.marks.file, at))
            else:
                made.append(item)
                made.marks.append(at)
                continue
            entry.setdefault("name", name)
            entry.marks.keys.setdefault("name", value.marks.keys[name])
            entry.marks.values.setdefault("name", value.marks.keys[name])
            made.append(entry)
            made.marks.append(at)
        value = made
    if problems is not None and isinstance(value, Seq):
        problems.extend(duplicates(value, "name"))
    return value


def duplicates(items: Seq, what: str, seen: dict[str, tuple[str, Place]] | None = None) -> list[Problem]:
    """A problem for every item whose name was there before, in these items or in `seen`."""
    seen = {} if seen is None else seen
    found = []
    for item in items:
        name = item.get("name") if isinstance(item, Map) else None
        if not isinstance(name, str):
            continue
        place = item.marks.value("name")
        if name in seen:
            found.append(twice(place, what, name, seen[name][1]))
        else:
            seen[name] = (what, place)
    return found


def twice(place: Place, what: str, name: str, first: Place) -> Problem:
    """The problem of a name that is used two times; both places are named."""
    return Problem(place, f"the {what} '{concealed(name)}' is used twice; first at {first}")


def _is_text(value: Any) -> str:
    return "<text>" if isinstance(value, str | Int | Float) else "<other>"


TextOr = Annotated[
    Annotated[Text, Tag("<text>")] | Annotated[T, Tag("<other>")],
    Discriminator(_is_text),
]
"""Text, or something else."""
