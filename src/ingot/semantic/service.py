"""`Service`: semantic queries at any ref of the lake, answered in Cube's formats.

The one way from every surface to an answer. Safe to use from several threads.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from ingot.semantic.annotation import annotation, normalized
from ingot.semantic.cache import Answer, Answers
from ingot.semantic.dashboards import check_project
from ingot.semantic.errors import QueryError
from ingot.semantic.meta import meta
from ingot.semantic.model import Model
from ingot.semantic.plan import Plan, plan_resolved
from ingot.semantic.query import Query, parse
from ingot.semantic.resolve import Resolved, resolve
from ingot.semantic.rows import encoded
from ingot.semantic.writing import aliases

if TYPE_CHECKING:
    from ingot.engines import Engine
    from ingot.lake import Lake, State
    from ingot.project import Project

MAX_QUERIES = 50
Given = Mapping[str, Any] | Query | list[Mapping[str, Any]] | list[dict[str, Any]] | list[Query]
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _At:
    """A state of the lake as answers refer to it."""

    ref: str
    state: "State"
    time: str


class _Recent(dict[Key, Value]):
    """The last things made, by key. Losing one costs time, never truth."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self._lock = Lock()

    def keep(self, key: Key, value: Value) -> Value:
        with self._lock:
            while len(self) >= self.most:
                del self[next(iter(self))]
            self[key] = value
        return value


class Service:
    """Answers queries about one project."""

    def __init__(
        self, project: "Project", lake: "Lake", engine: "Engine", *, cache_bytes: int = 128 * 1024 * 1024
    ) -> None:
        self.model: Model = check_project(project)
        self._lake = lake
        self._engine = engine
        self._answers = Answers(cache_bytes)
        self._plans: _Recent[tuple[int, Resolved], Plan] = _Recent(2_000)
        self._states: _Recent[str, tuple[State, str]] = _Recent(64)
        self._prints: _Recent[tuple[str, tuple[str, ...]], str] = _Recent(2_000)

    def reload(self, project: "Project") -> None:
        """Answers from now on by the project's present model; `ProjectError` leaves the old one in use."""
        self.model = check_project(project)

    def load(self, query: Given, *, ref: str | None = None, multi: bool | None = None) -> dict[str, Any]:
        """The answer to one query, or to several, in Cube's format, with `ref` and `commit` added.

        `multi` True gives the format with `results` also for one query; False refuses what needs it; None
        chooses by the query. Raises `QueryError`, `NotFoundError` (the ref), and what the engine raises.
        """
        answer = self._load(query, ref, multi)
        for one in answer.get("results", [answer]):
            one["data"] = orjson.loads(one["data"])
        return answer

    def load_raw(self, query: Given, *, ref: str | None = None, multi: bool | None = None) -> dict[str, Any]:
        """`load` with each `data` as an `orjson.Fragment`: for surfaces that send JSON anyway."""
        answer = self._load(query, ref, multi)
        for one in answer.get("results", [answer]):
            one["data"] = orjson.Fragment(one["data"])
        return answer

    def _load(self, query: Given, ref: str | None, multi: bool | None) -> dict[str, Any]:
        kind, queries = self._queries(query)
        if multi is False and kind != "regularQuery":
            raise QueryError(f'A {kind} has several results: send "queryType": "multi" with it.')
        now = datetime.now(UTC)
        model = self.model
        ats: dict[str, _At] = {}
        results = []
        for one in queries:
            name = ref or one.ref or "main"
            at = ats.get(name) or ats.setdefault(name, self._at(name))
            results.append(self._result(model, one, kind, at, now))
        if len(results) == 1 and not multi and kind == "regularQuery":
            return results[0]
        pivot = dict(results[0]["query"])
        if kind == "blendingQuery":
            pivot["measures"] = [name for one in results for name in one["query"]["measures"]]
        return {"queryType": kind, "results": results, "pivotQuery": pivot, "slowQuery": False}

    def sql(self, query: Given, *, ref: str | None = None) -> Any:
        """The SQL of a query in Cube's shape; of several, a list."""
        _, queries = self._queries(query)
        if ref is not None:
            self._at(ref)
        now = datetime.now(UTC)
        found = [self._sql(one, now) for one in queries]
        return found[0] if len(found) == 1 else found

    def dry_run(self, query: Given, *, ref: str | None = None) -> dict[str, Any]:
        """What a query would be with every default filled in, without running it."""
        kind, queries = self._queries(query)
        if ref is not None:
            self._at(ref)
        now = datetime.now(UTC)
        plans = [self._plan(self.model, one, now) for one in queries]
        filled = [normalized(one, made.query, kind) for one, made in zip(queries, plans, strict=True)]
        return {
            "queryType": kind,
            "normalizedQueries": filled,
            "queryOrder": [
                {each["id"]: "desc" if each["desc"] else "asc" for each in one["order"]} for one in filled
            ],
            "transformedQueries": [_transformed(one) for one in filled],
            "pivotQuery": filled[0],
        }

    def meta(self, *, ref: str | None = None, only_views: bool = False) -> dict[str, Any]:
        """The model in Cube's shape."""
        if ref is not None:
            self._at(ref)
        return {"cubes": meta(self.model, only_views=only_views)}

    def _queries(self, given: Given) -> tuple[str, list[Query]]:
        if not isinstance(given, list):
            one = parse(given)
            compared = _compared(one)
            return ("compareDateRangeQuery", compared) if compared else ("regularQuery", [one])
        if not 0 < len(given) <= MAX_QUERIES:
            raise QueryError(f"A list of queries has 1 to {MAX_QUERIES} entries.")
        queries = [parse(one) for one in given]
        if any(_compared(one) for one in queries):
            raise QueryError("A query with compareDateRange cannot stand in a list of queries.")
        return ("blendingQuery" if len(queries) > 1 else "regularQuery"), queries

    def _at(self, ref: str) -> _At:
        commit = self._lake.catalog.resolve(ref)
        found = self._states.get(commit)
        if found is None:
            state = self._lake.at(commit)
            time = self._commit_time(commit)
            found = self._states.keep(commit, (state, time))
        return _At(ref, *found)

    def _commit_time(self, commit: str) -> str:
        if next(iter(self._lake.catalog.log(commit, limit=1)), None) is None:
            return "1970-01-01T00:00:00.000Z"  # the root: nothing was ever committed
        time = self._lake.catalog.commit_of(commit).time
        return f"{time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"

    def _plan(self, model: Model, query: Query, now: datetime) -> Plan:
        resolved = resolve(model, query, now=now)
        key = (id(model), resolved)
        found = self._plans.get(key)
        return found or self._plans.keep(key, plan_resolved(model, resolved, dialect=self._engine.dialect))

    def _result(self, model: Model, query: Query, kind: str, at: _At, now: datetime) -> dict[str, Any]:
        plan = self._plan(model, query, now)
        filled = normalized(query, plan.query, kind)
        extra = None
        if kind == "compareDateRangeQuery":
            extra = ("compareDateRange", " - ".join(filled["timeDimensions"][0]["dateRange"]))
        answer = self._answer(plan, query.response_format, extra, at)
        return {
            "query": filled,
            "data": answer.data,
            "lastRefreshTime": at.time,
            "annotation": annotation(plan.query),
            "dataSource": "default",
            "dbType": self._engine.dialect,
            "external": False,
            "slowQuery": False,
            "total": answer.total,
            "usedPreAggregations": {},
            "refreshKeyValues": [],
            "ref": at.ref,
            "commit": at.state.hash,
        }

    def _answer(self, plan: Plan, form: str, extra: tuple[str, str] | None, at: _At) -> Answer:
        tables = self._tables(plan, at)
        key = None
        if not plan.volatile and tables is not None:
            keys = tuple(column.key for column in plan.query.columns)
            key = (
                plan.sql,
                plan.parameters,
                plan.total_sql,
                form,
                extra,
                keys,
                self._fingerprint(at.state, tables),
            )
            found = self._answers.get(key)
            if found is not None:
                return found
        rows = self._engine.query(plan.sql, at=at.state, parameters=plan.parameters).rows
        total = None
        if plan.total_sql is not None:
            total = int(
                self._engine.query(plan.total_sql, at=at.state, parameters=plan.parameters).rows[0][0]
            )
        answer = Answer(encoded(plan.query, rows, form, extra), total)
        if key is not None:
            self._answers.put(key, answer)
        return answer

    def _tables(self, plan: Plan, at: _At) -> tuple[str, ...] | None:
        """The lake's own spelling of the tables that a plan reads; None where one is not the lake's."""
        if all(name in at.state for name in plan.tables):
            return plan.tables
        spelled = {name.casefold(): name for name in (*at.state.tables, *at.state.views)}
        found = []
        for name in plan.tables:
            real = spelled.get(name.casefold())
            if real is None and name.count(".") == 1:
                raise QueryError(
                    f"Table '{name}', which the model reads, is not in '{at.ref}'.",
                    hint="'ingot run' builds the tables; 'ingot status' lists them.",
                )
            if real is None:
                return None
            found.append(real)
        return tuple(sorted(found))

    def _fingerprint(self, state: "State", tables: tuple[str, ...]) -> str:
        key = (state.hash, tables)
        return self._prints.get(key) or self._prints.keep(key, state.fingerprint(tables))

    def _sql(self, query: Query, now: datetime) -> dict[str, Any]:
        plan = self._plan(self.model, query, now)
        names = aliases(plan.query.columns)
        members = [column.key for column in plan.query.columns]
        times = [column for column in plan.query.dimensions if column.is_time]
        first = (
            {"timeDimensionAlias": names[times[0].key], "timeDimensionField": times[0].found.name}
            if times
            else {}
        )
        return {
            "sql": {
                "status": "ok",
                "sql": [plan.sql, list(plan.parameters)],
                **first,
                "order": [{"id": key, "desc": descending} for key, descending in plan.query.order],
                "cacheKeyQueries": [],
                "preAggregations": [],
                "dataSource": "default",
                "memberNames": members,
                "aliasNameToMember": {names[key]: key for key in members},
                "rollupMatchResults": [],
                "canUseTransformedQuery": _transformed(normalized(query, plan.query)),
                "external": False,
            }
        }


def _compared(query: Query) -> list[Query]:
    """The queries that a compareDateRange stands for, one a range."""
    places = [n for n, time in enumerate(query.time_dimensions) if time.compare_date_range is not None]
    if not places:
        return []
    if len(places) > 1:
        raise QueryError("compareDateRange can exist for one time dimension only.")
    time = query.time_dimensions[places[0]]
    found = []
    for one in time.compare_date_range or ():
        single = time.model_copy(update={"compare_date_range": None, "date_range": one})
        # Cube's clients look for the compared dimension in the first place.
        others = tuple(t for n, t in enumerate(query.time_dimensions) if n != places[0])
        found.append(query.model_copy(update={"time_dimensions": (single, *others)}))
    return found


def _transformed(query: dict[str, Any]) -> dict[str, Any]:
    times = [
        [one["dimension"], one["granularity"]] for one in query["timeDimensions"] if "granularity" in one
    ]
    return {
        "sortedDimensions": sorted(query["dimensions"]),
        "sortedTimeDimensions": sorted(times),
        "timeDimensions": times,
        "measures": query["measures"],
        "leafMeasures": query["measures"],
        "sortedUsedCubePrimaryKeys": [],
        "ownedDimensions": sorted(query["dimensions"]),
    }
