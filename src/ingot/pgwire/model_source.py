"""SELECTs over cubes and views: planned by the model once for each text, asker and state, answered from the cache.

A member of type time is a local time of the session's time zone, as in Cube: a `timestamp` without zone.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from sqlglot import exp

from ingot.engines.yielding import yield_to_others
from ingot.errors import IngotError
from ingot.pgwire.errors import PgError, outdated
from ingot.pgwire.fields import field_of, oid_of
from ingot.pgwire.parameters import count, inferred, sample
from ingot.pgwire.ports import Field, Rows, SessionInfo, Value
from ingot.pgwire.rows import AT_ONCE, Look, StreamRows, WholeRows, encoded
from ingot.pgwire.shape import shape_of, without_database
from ingot.pgwire.stop import Stop, landing
from ingot.pgwire.types import TYPES
from ingot.pgwire.values.literals import literal
from ingot.pgwire.values.lossless import lossless
from ingot.semantic.answers.arrow import Stream
from ingot.semantic.answers.recent import Recent
from ingot.semantic.model import Model
from ingot.semantic.sql.guessing import Guessing
from ingot.semantic.sql.questions.columns import cut, faces
from ingot.semantic.sql.statement import SqlPlan
from ingot.semantic.sql.statements import CLOCK, NOTHING, Bound

if TYPE_CHECKING:
    from ingot.pgwire.catalog.ports import CatalogSource, Described
    from ingot.pgwire.lake_source import LakeBeside
    from ingot.semantic import Service

T = TypeVar("T")
THREADS = 4
"""Statements that are planned at the same time."""
STREAMS = 32
"""Long answers that are computed at the same time; those of clients that do not read take no thread."""
LARGE = 10_000
"""Bytes of parameters with which a plan is not kept."""
_PASSING = frozenset({"08", "53", "55", "57", "58", "XX"})
"""Classes of errors that are about the server, and not about the statement."""
_UTC = frozenset(
    {"utc", "gmt", "etc/utc", "etc/gmt", "zulu", "z", "uct", "etc/uct", "universal", "greenwich"}
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is known of a statement before it has values."""

    parameters: tuple[int, ...]
    fields: tuple[Field, ...]
    shape: Hashable
    """What the plan's columns are; see `_shape`."""
    kinds: tuple[str, ...] = ()
    """The engine's types of the columns, where Arrow does not have all of them."""


class ModelReader:
    """What all sessions share. Safe to use from several threads."""

    def __init__(self, service: "Service") -> None:
        self.service = service
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="sql-plan", initializer=yield_to_others)
        self.streams = ThreadPoolExecutor(STREAMS, thread_name_prefix="sql-rows", initializer=yield_to_others)
        self.prepared: Recent[Hashable, Prepared] = Recent(1_000)
        self.kinds: Recent[Hashable, tuple[int, ...]] = Recent(1_000)
        self._faces: Recent[int, tuple[Model, Mapping[str, str]]] = Recent(50)

    def source(self, info: SessionInfo, catalog: "CatalogSource | None" = None) -> "ModelSource":
        """The source of one session. Raises `NotFoundError` where its ref is not there."""
        self.service.states.at(info.ref)
        return ModelSource(self, info, catalog)

    def close(self) -> None:
        """Ends the threads."""
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.streams.shutdown(wait=False, cancel_futures=True)

    def faces(self, seen: Model) -> Mapping[str, str]:
        """The cubes and views of a model as somebody sees it, by their names whatever the case."""
        found = self._faces.get(id(seen))
        if found is None or found[0] is not seen:
            found = self._faces.keep(id(seen), (seen, _spelled(faces(seen))))
        return found[1]


class ModelSource:
    """Answers for one session; see `ports.Source`."""

    def __init__(self, reader: ModelReader, info: SessionInfo, catalog: "CatalogSource | None") -> None:
        self.reader = reader
        self.service = reader.service
        self.info = info
        self._catalog = catalog
        self._stop: Stop | None = None
        self._faces: Mapping[str, str] = {}

    async def look(self) -> None:
        """Finds out what who asks may see, for `has` and `faces`. Raises `IngotError`."""
        self._faces = self.reader.faces(await self.seen())

    def has(self, name: str) -> bool:
        """Whether there is a cube or view of this name, for who asks."""
        return name.casefold() in self._faces

    def faces(self) -> Iterable[str]:
        """The cubes and views that who asks may see."""
        return dict.fromkeys(self._faces.values())

    async def prepare(
        self, text: str, parameters: Sequence[int] = (), beside: "LakeBeside | None" = None
    ) -> "ModelStatement":
        """See `Source.prepare`; `beside` has the tables that the statement reads, too."""
        given = tuple(parameters)
        if any(len(table) == 3 for table in (await shape_of(text)).tables):
            database = self.info.database
            text = without_database(text, (database, database.partition("@")[0]))
        kinds = self.reader.kinds.get((text, given, self._seen_by()))
        plan = self.at_hand(text, sample(kinds), beside) if kinds is not None else None
        found = self.reader.prepared.get(self._key(text, given, plan)) if plan is not None else None
        return ModelStatement(self, text, found or await self._prepared(text, given, beside), beside)

    def cancel(self) -> None:
        """See `Source.cancel`."""
        if self._stop is not None:
            self._stop.set()

    async def close(self) -> None:
        """See `Source.close`."""
        self.cancel()

    # -- what statements need of their session -----------------------------------------------------------

    @property
    def zone(self) -> str:
        """The time zone in which times of members are told. Raises `PgError` for one that the model does not know."""
        return zone(self.info.settings.get("timezone", "UTC"))

    async def seen(self) -> Model:
        """The model as who asks may see it: asked for in a thread where the project's own Python says it."""
        context = self.info.context
        found = self.service.seen_at_hand(context)
        return found if found is not None else await self.during(lambda: self.service.seen(context))

    def step(self) -> Stop:
        """What stops the step that begins now."""
        self._stop = Stop()
        return self._stop

    def at_hand(self, text: str, values: Bound, beside: "LakeBeside | None" = None) -> SqlPlan | None:
        """The plan of a statement, where nothing has to be waited for."""
        info = self.info
        return self.service.sql_at_hand(
            text, ref=info.ref, context=info.context, timezone=self.zone, values=values, beside=beside
        )

    def planned(self, text: str, values: Bound, beside: "LakeBeside | None" = None) -> SqlPlan:
        """The plan of a statement; not on the event loop. Raises `IngotError`."""
        info = self.info
        return self.service.sql_plan(
            text, ref=info.ref, context=info.context, timezone=self.zone, values=values, beside=beside
        )

    async def during(
        self, work: Callable[[], T], stop: Stop | None = None, beside: "LakeBeside | None" = None
    ) -> T:
        """What `work` gives back, done in another thread. Raises `PgError` 57014 where it is stopped.

        What may ask other machines for their tables, which are `beside`, keeps no other statement waiting.
        """
        pool = beside.plans.pool if beside is not None else self.reader.pool
        return await (stop or self.step()).during(work, pool)

    # -- the first time -----------------------------------------------------------------------------------

    async def _prepared(
        self, text: str, given: tuple[int, ...], beside: "LakeBeside | None" = None
    ) -> Prepared:
        stop = self.step()
        tree = await self.during(lambda: self.service.sql_tree(text), stop)
        wanted = max(count(tree), len(given))
        if not wanted:  # what is wrong with it is told before PostgreSQL is asked
            await self.during(lambda: self.planned(text, NOTHING, beside), stop, beside)
        described, is_sure = await self._described(text, given)

        def work() -> Prepared:
            told = described.parameters if described is not None else ()
            if described is None and beside is not None and wanted:
                told = self._guessed(text, beside, wanted)
            kinds = self._kinds(tree, given, told, wanted)
            plan = self.planned(text, sample(kinds), beside)
            found = self._found(plan, kinds, described)
            if is_sure:
                self.reader.kinds.keep((text, given, self._seen_by()), kinds)
                self.reader.prepared.keep(self._key(text, given, plan), found)
            return found

        return await self.during(work, stop, beside)

    def _seen_by(self) -> Hashable:
        return (self.info.settings.get("search_path"), self.info.user, self.info.context.key, self.info.ref)

    def _key(self, text: str, given: tuple[int, ...], plan: SqlPlan) -> Hashable:
        return (text, given, self._seen_by(), plan.sql, _shape(plan))

    def _guessed(self, text: str, beside: "LakeBeside", wanted: int) -> tuple[int, ...]:
        """The types of parameters as far as the tables beside the model say them; 0 where they do not."""
        guessing = Guessing()
        with suppress(IngotError):  # with values it may do
            self.planned(text, Bound((), object(), kept=False, guessing=guessing), beside)
        return tuple(oid_of(guessing.types.get(one, "")) for one in range(1, wanted + 1))

    def _kinds(
        self, tree: exp.Query, given: tuple[int, ...], told: Sequence[int], wanted: int
    ) -> tuple[int, ...]:
        """The types of the parameters: the client's word, what was `told`, and what they are compared with."""
        guessed = inferred(tree, self.service.seen(self.info.context))
        return tuple(
            (given[at] if at < len(given) else 0)
            or (told[at] if at < len(told) else 0)
            or guessed.get(at + 1, 25)
            for at in range(wanted)
        )

    async def _described(self, text: str, given: tuple[int, ...]) -> "tuple[Described | None, bool]":
        """What PostgreSQL says of a statement, and whether it will say so again.

        None where there is no PostgreSQL, or where it understands less than the model.
        """
        if self._catalog is None:
            return None, True
        try:
            return await self._catalog.describe(text, given), True
        except IngotError as error:
            return None, str(getattr(error, "sqlstate", "XX"))[:2] not in _PASSING

    def _found(self, plan: SqlPlan, parameters: tuple[int, ...], described: "Described | None") -> Prepared:
        """The columns of a statement as PostgreSQL describes it, and as it is written where PostgreSQL does not."""
        columns = self.service.sql_columns(plan)
        kinds = tuple(one.engine for one in columns)
        kinds = kinds if lossless("", kinds) else ()
        own = tuple(field_of(one, kind.engine) for one, kind in zip(plan.columns, columns, strict=True))
        told = described.fields if described is not None else None
        if told is None or len(told) != len(own):
            return Prepared(parameters, own, _shape(plan, parameters), kinds)
        fields = tuple(_told(one, ours) for one, ours in zip(told, own, strict=True))
        return Prepared(parameters, fields, _shape(plan, parameters), kinds)


def _shape(plan: SqlPlan, parameters: tuple[int, ...] = ()) -> Hashable:
    """What a plan's columns are. What is computed from values may have types of theirs, and counts as one."""
    return tuple((one.name, one.engine, "" if parameters else one.type) for one in plan.columns)


def _told(field: Field, own: Field) -> Field:
    """A column as PostgreSQL tells it, but for types that are not written here, such as that of pg_typeof()."""
    if field.oid not in TYPES:
        return replace(own, name=field.name)
    # A measure is called by its name, as everywhere else.
    return replace(field, name=own.name) if field.name == "measure" else field


class ModelStatement:
    """A checked SELECT; see `ports.Statement`."""

    def __init__(
        self, source: ModelSource, text: str, prepared: Prepared, beside: "LakeBeside | None" = None
    ) -> None:
        self._beside = beside
        self.parameters = prepared.parameters
        self.fields = prepared.fields
        self._source = source
        self._text = text
        self._kinds = prepared.kinds
        self._shape = prepared.shape

    async def run(self, values: Sequence[Value], formats: Sequence[int]) -> Rows:
        """See `Statement.run`."""
        plan = await self.plan(values)
        look = Look(self.fields, tuple(formats), self._source.info.settings)
        return await opened(self._source, plan, look)

    async def plan(self, values: Sequence[Value]) -> SqlPlan:
        """What is executed for these values. Raises `IngotError`."""
        source = self._source
        given = bound(self.parameters, values, source.info.settings) if self.parameters else NOTHING
        beside = self._beside
        plan = source.at_hand(self._text, given, beside)
        if plan is None:
            plan = await source.during(lambda: source.planned(self._text, given, beside), beside=beside)
        if _shape(plan, self.parameters) != self._shape:  # the model or a table has changed since
            raise outdated()
        return replace(plan, sql=lossless(plan.sql, self._kinds)) if self._kinds else plan


async def opened(source: ModelSource, plan: SqlPlan, look: Look) -> Rows:
    """The rows of a plan: kept ones, those of an equal statement under way, or new ones. Raises `IngotError`."""
    service, pool = source.service, source.reader.streams
    while True:
        whole = service.sql_kept(plan)
        if whole is None:
            stop = source.step()
            flight = service.sql_begin(plan)
            try:
                found = await stop.wait(landing(flight.future))
                if isinstance(found, Stream):
                    if not found.take():  # an equal statement was faster
                        continue
                    return StreamRows(found, look, pool=pool, step=source.step, end=flight.interrupt.set)
                whole = found
            finally:
                service.sql_leave(flight)
        if whole.size <= AT_ONCE or look.key in whole.forms:
            return WholeRows(look.fields, encoded(whole, look))
        return WholeRows(look.fields, await source.during(partial(encoded, whole, look)))


def _spelled(names: Iterable[str]) -> Mapping[str, str]:
    """Names by how they may be written: whatever the case, and as far as PostgreSQL keeps them."""
    known = tuple(names)
    return {cut(name).casefold(): name for name in known} | {name.casefold(): name for name in known}


def bound(kinds: Sequence[int], values: Sequence[Value], settings: Mapping[str, str]) -> Bound:
    """The values of parameters as literals. Raises `PgError` for one that is none of its type."""
    literals = tuple(literal(value, kind, settings) for value, kind in zip(values, kinds, strict=True))
    if any(
        one.raw is not None and len(one.raw) < 40 and CLOCK.search(one.raw.decode("latin-1"))
        for one in values
    ):
        return Bound(literals, object())  # 'today' is another one tomorrow
    key = tuple((kind, one.raw, one.format) for one, kind in zip(values, kinds, strict=True))
    return Bound(literals, key, kept=sum(len(one.raw or b"") for one in values) <= LARGE)


def zone(name: str) -> str:
    """The IANA name of a time zone as SET keeps it. Raises `PgError` for an offset that has none."""
    if name.casefold() in _UTC:
        return "UTC"
    if not name.startswith("<"):
        return name
    # `<+02>-02` is what PostgreSQL calls two hours east of Greenwich, and IANA Etc/GMT-2.
    hours = name.partition(">")[2]
    if hours.lstrip("+-").isdigit():
        east = int(hours)
        return f"Etc/GMT{east:+d}" if east else "UTC"
    raise PgError(
        f'the time zone "{name}" has no name in the model',
        sqlstate="22023",
        hint="SET timezone TO a name such as 'Europe/Berlin'.",
    )
