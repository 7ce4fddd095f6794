"""A GraphQL request -> its questions, and everything that can be said without asking them.

The library parses, validates and answers introspection; `cube` is resolved to nothing by it and filled in later,
because a resolver for each value of each row would take longer than the query.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import orjson
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    execute_sync,
    parse,
    validate,
    validate_schema,
)

from ingot.api.graphql import limits
from ingot.api.graphql.faces import Face, faces, fingerprint
from ingot.api.graphql.question import Question, question
from ingot.api.graphql.schema import schema
from ingot.api.graphql.selection import Selection
from ingot.errors import IngotError, UsageError
from ingot.semantic import Service
from ingot.semantic.answers.meta import meta
from ingot.semantic.answers.recent import Recent
from ingot.semantic.context import Context
from ingot.semantic.model import Model

SHORT = 10_000
"""Longer documents are not kept."""


class InvalidDocumentError(Exception):
    """The document is none, or does not fit the schema; `errors` in GraphQL's shape."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(str(errors[0]))
        self.errors = [one.formatted for one in errors]


@dataclass(slots=True)
class Prepared:
    """What is known before anything is asked: `data` with a gap under the name of each question."""

    data: Any
    errors: list[Any]
    questions: list[Question] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Known:
    """A schema and what its names mean."""

    schema: GraphQLSchema
    faces: Mapping[str, Face]
    documents: Recent[str, DocumentNode]
    answers: "Recent[tuple[str, str | None], Prepared]"
    """Introspection, which tools ask for again and again: of a large model it is megabytes."""


class Documents:
    """Reads documents for one service. Safe to use from several threads."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = Lock()
        self._seen: WeakKeyDictionary[Model, Known] = WeakKeyDictionary()
        self._known: Recent[int, Known] = Recent(20)

    def prepared(self, text: str, variables: dict[str, Any], operation: str | None, who: Context) -> Prepared:
        """What a document asks of the cubes that `who` sees.

        Raises `InvalidDocumentError`, or `IngotError` for what costs too much.
        """
        known = self._of(who)
        said = known.answers.get((text, operation)) if not variables else None
        if said is not None:
            return said
        document = known.documents.get(text) or self._read(known, text)
        reader = _Reader(known.faces, variables)
        done = execute_sync(
            known.schema,
            document,
            context_value=reader,
            variable_values=variables,
            operation_name=operation,
        )
        if done.data is None and not reader.called:  # no such operation, or variables of other types
            raise InvalidDocumentError(done.errors or [GraphQLError("Nothing is asked.")])
        if len(reader.questions) > limits.MAX_QUERIES:
            raise UsageError(f"One request asks at most {limits.MAX_QUERIES} times for 'cube'.")
        if reader.questions or variables or done.errors:
            return Prepared(done.data, [one.formatted for one in done.errors or ()], reader.questions)
        packed = Prepared(orjson.Fragment(orjson.dumps(done.data)), [])
        return known.answers.keep((text, operation), packed) if len(text) < SHORT else packed

    def _of(self, who: Context) -> Known:
        model = self._service.seen(who)
        with self._lock:
            found = self._seen.get(model)
        if found is None:
            shown = faces(meta(model))
            print_ = fingerprint(shown)
            found = self._known.get(print_)
            if found is None:
                made = schema(shown, _resolved)
                validate_schema(made)
                found = self._known.keep(print_, Known(made, shown, Recent(200), Recent(4)))
            with self._lock:
                self._seen[model] = found
        return found

    @staticmethod
    def _read(known: Known, text: str) -> DocumentNode:
        try:
            document = parse(
                text,
                max_tokens=limits.MAX_TOKENS,
                max_source_length=limits.MAX_TEXT,
                allow_empty_selection_sets=False,
            )
        except GraphQLError as error:
            raise InvalidDocumentError([error]) from None
        except RecursionError:
            raise UsageError("The document is nested too deep.") from None
        limits.check(document)
        wrong = validate(known.schema, document, max_errors=20)
        if wrong:
            raise InvalidDocumentError(wrong)
        return known.documents.keep(text, document) if len(text) < SHORT else document


class _Reader:
    """Collects the questions of one operation."""

    def __init__(self, named: Mapping[str, Face], given: Mapping[str, Any]) -> None:
        self.questions: list[Question] = []
        self.called = False
        self._faces = named
        self._given = given

    def read(self, info: GraphQLResolveInfo[Any]) -> None:
        self.called = True
        coerced = info.variable_values.coerced
        # As they came: coerced numbers are floats, which have fewer digits than keys.
        variables = {name: self._given.get(name, value) for name, value in coerced.items()}
        name = str(info.path.key)
        selection = Selection(info.fragments, coerced)
        try:
            found = question(name, info.field_nodes, self._faces, selection, variables)
        except IngotError as error:
            raise GraphQLError(worded(error), info.field_nodes, extensions=extensions(error)) from error
        self.questions.append(found)


def _resolved(_root: Any, info: GraphQLResolveInfo[Any], **_arguments: Any) -> list[Any]:
    info.context.read(info)
    return []


def worded(error: IngotError) -> str:
    """The message with its hint."""
    return error.message if error.hint is None else f"{error.message} {error.hint}"


def extensions(error: IngotError) -> dict[str, Any]:
    """What machines read of an error."""
    return {"code": error.code, "status": error.status}


__all__ = ["Documents", "InvalidDocumentError", "Prepared", "extensions", "worded"]
