"""dbt's metrics -> measures: simple, ratio, derived and cumulative ones.

A metric stands in the cube of its (first) measure, where others can refer to it by its name. What a metric
needs and no measure says (a filter, an offset) becomes a hidden measure of its own.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ingot.semantic.imports.converted import Converted, Table

_REFERENCE = re.compile(
    r"\{\{\s*(Dimension|TimeDimension|Entity|Metric)\(\s*(['\"])(?P<name>[\w.]+)\2"
    r"(?:\s*,\s*(['\"])(?P<grain>\w+)\4)?[^)]*\)(?:\.grain\((['\"])(?P<method>\w+)\6\))?\s*\}\}"
)
_WORD = re.compile(r"[A-Za-z_]\w*")
_WINDOW = re.compile(r"\s*(\d+)\s+(second|minute|hour|day|week|month|quarter|year)s?\s*")


class _LeftOutError(Exception):
    """A metric that cannot be carried over; its text is why."""


def add_metrics(
    models: Iterable[Table], metrics: Iterable[Table], cubes: Mapping[str, Table], made: Converted
) -> None:
    """Adds the metrics to the measures of `cubes`, or a note for each that cannot be."""
    writer = _Writer(list(models), {one["name"]: one for one in metrics}, cubes)
    for name in writer.metrics:
        try:
            writer.home(name)
        except _LeftOutError as error:
            made.note(f"metric {name}", f"left out: {error}")


class _Writer:
    def __init__(self, models: list[Table], metrics: dict[str, Table], cubes: Mapping[str, Table]) -> None:
        self.metrics = metrics
        self.cubes = cubes
        self.models = {model["name"]: model for model in models}
        self.measures = {
            measure["name"]: cube for cube, found in cubes.items() for measure in found.get("measures", ())
        }
        # As dbt defines them: a metric of the same name takes a measure's place among the cube's.
        self.declared = {one["name"]: one for found in cubes.values() for one in found.get("measures", ())}
        self.entities = {
            entity["name"]: model["name"]
            for model in models
            for entity in model.get("entities") or ()
            if entity.get("type") == "primary"
        }
        self._homes: dict[str, str | None] = {}

    def home(self, name: str) -> str:
        """The cube in which metric `name` stands, put there when first asked for. Raises `_LeftOutError`."""
        if name not in self._homes:
            self._homes[name] = None
            spec = self.metrics.get(name)
            if spec is None:
                raise _LeftOutError(f"there is no metric '{name}'")
            kinds = {
                "simple": self._simple,
                "ratio": self._ratio,
                "derived": self._derived,
                "cumulative": self._cumulative,
            }
            kind = str(spec.get("type", "simple"))
            if kind not in kinds:
                raise _LeftOutError(f"metrics of type '{kind}' have no counterpart")
            cube, measure = kinds[kind](spec, spec.get("type_params") or {})
            self._put(cube, measure | _described(spec))
            self._homes[name] = cube
        found = self._homes[name]
        if found is None:
            raise _LeftOutError(f"it is made of '{name}', which is left out or made of it")
        return found

    # -- the kinds ---------------------------------------------------------------------------------------

    def _simple(self, spec: Table, params: Table) -> tuple[str, Table]:
        return self._measured(spec["name"], params.get("measure"), spec.get("filter"))

    def _cumulative(self, spec: Table, params: Table) -> tuple[str, Table]:
        said = {**params, **(params.get("cumulative_type_params") or {})}
        cube, measure = self._measured(spec["name"], params.get("measure"), spec.get("filter"))
        if measure["type"] == "number":
            raise _LeftOutError("a rolling window over a median or percentile is not supported")
        grain = said.get("grain_to_date")
        window: Table = {"trailing": "unbounded"}
        if grain:
            window = {"type": "to_date", "granularity": str(grain).lower()}
        elif said.get("window"):
            window = {"trailing": _window(said["window"])}
        return cube, measure | {"rolling_window": window}

    def _ratio(self, spec: Table, params: Table) -> tuple[str, Table]:
        cube, above = self._operand(spec, params.get("numerator"), "numerator")
        _, below = self._operand(spec, params.get("denominator"), "denominator")
        # MetricFlow divides as doubles, and by null where the denominator is 0.
        sql = f"CAST({{{above}}} AS DOUBLE) / NULLIF({{{below}}}, 0)"
        return cube, {"name": spec["name"], "type": "number", "sql": sql}

    def _derived(self, spec: Table, params: Table) -> tuple[str, Table]:
        named: dict[str, str] = {}
        homes = []
        for n, each in enumerate(params.get("metrics") or ()):
            one = {"name": each} if isinstance(each, str) else dict(each)
            cube, reference = self._operand(spec, one, f"part_{n + 1}")
            homes.append(cube)
            named[str(one.get("alias") or one["name"])] = reference
        if not homes:
            raise _LeftOutError("it names no metrics")
        sql = _WORD.sub(
            lambda word: f"{{{named[word.group()]}}}" if word.group() in named else word.group(),
            str(params.get("expr", "")),
        )
        return homes[0], {"name": spec["name"], "type": "number", "sql": sql}

    # -- what they are made of ---------------------------------------------------------------------------

    def _operand(self, spec: Table, given: Any, role: str) -> tuple[str, str]:
        """A metric that another is made of: its cube, and how to refer to it."""
        one = {"name": given} if isinstance(given, str) else dict(given or {})
        if not one.get("name"):
            raise _LeftOutError(f"its {role} has no name")
        cube = self.home(one["name"])
        name = one["name"]
        conditions = [text for text in (spec.get("filter"), one.get("filter")) if text]
        if conditions:
            inner = self.metrics[name]
            if inner.get("type", "simple") != "simple":
                raise _LeftOutError(f"a filter on '{name}', which is not a simple metric")
            both = [*_texts(inner.get("filter")), *(each for text in conditions for each in _texts(text))]
            name = f"{spec['name']}_{role}"
            cube, filtered = self._measured(name, (inner.get("type_params") or {}).get("measure"), both)
            self._put(cube, filtered | {"public": False})
        if one.get("offset_to_grain"):
            raise _LeftOutError("offset_to_grain has no counterpart")
        if one.get("offset_window"):
            shifted = f"{spec['name']}_{role}_shifted"
            shift = {"interval": _window(one["offset_window"]), "type": "prior"}
            self._put(
                cube,
                {
                    "name": shifted,
                    "type": "number",
                    "multi_stage": True,
                    "sql": f"{{{name}}}",
                    "time_shift": [shift],
                    "public": False,
                },
            )
            name = shifted
        return cube, f"{cube}.{name}"

    def _measured(self, name: str, given: Any, conditions: Any) -> tuple[str, Table]:
        """A measure called `name` as dbt's measure `given`, with more conditions."""
        one = {"name": given} if isinstance(given, str) else dict(given or {})
        cube = self.measures.get(one.get("name", ""))
        if cube is None:
            raise _LeftOutError(f"there is no measure '{one.get('name')}'")
        if one.get("join_to_timespine") or one.get("fill_nulls_with") is not None:
            raise _LeftOutError("join_to_timespine and fill_nulls_with have no counterpart")
        made = dict(self.declared[one["name"]])
        made.pop("public", None)
        made["name"] = name
        texts = [*_texts(one.get("filter")), *_texts(conditions)]
        if texts and made["type"] == "number":
            raise _LeftOutError("a filter on a median or percentile is not supported")
        if texts:
            made["filters"] = [{"sql": self._condition(cube, one["name"], text)} for text in texts]
        return cube, made

    def _condition(self, cube: str, measure: str, text: str) -> str:
        def written(found: re.Match[str]) -> str:
            kind, name = found.group(1), found.group("name")
            if kind == "Metric":
                raise _LeftOutError("a filter by a metric has no counterpart")
            grain = found.group("grain") or found.group("method")
            end = f".{grain.lower()}" if grain else ""
            if name == "metric_time":
                return f"{{{cube}.{self._time_of(cube, measure)}{end}}}"
            *path, member = name.split("__")
            if not path:
                return f"{{{cube}.{member}{end}}}"
            owner = self.entities.get(path[-1])
            if owner is None:
                raise _LeftOutError(f"no semantic model has the primary entity '{path[-1]}' of '{name}'")
            return f"{{{owner}.{member}{end}}}"

        sql = _REFERENCE.sub(written, text.strip())
        if "{{" in sql or "{%" in sql:
            raise _LeftOutError(f"its filter is not understood: {text.strip()[:120]}")
        return sql

    def _time_of(self, cube: str, measure: str) -> str:
        model = self.models[cube]
        spec: Table = next((one for one in model.get("measures") or () if one["name"] == measure), {})
        found = spec.get("agg_time_dimension") or (model.get("defaults") or {}).get("agg_time_dimension")
        if not found:
            raise _LeftOutError(f"'{measure}' has no agg_time_dimension")
        return str(found)

    def _put(self, cube: str, measure: Table) -> None:
        measures = self.cubes[cube].setdefault("measures", [])
        for n, one in enumerate(measures):
            if one["name"] == measure["name"]:
                measures[n] = measure
                return
        taken = {one["name"] for one in self.cubes[cube].get("dimensions", ())}
        if measure["name"] in taken:
            raise _LeftOutError(f"cube '{cube}' has a dimension of this name")
        measures.append(measure)


def _described(spec: Table) -> Table:
    found: Table = {"name": spec["name"]}
    if spec.get("label"):
        found["title"] = spec["label"]
    if spec.get("description"):
        found["description"] = str(spec["description"]).strip()
    return found


def _texts(value: Any) -> list[str]:
    """Conditions as dbt writes them: a text, or a list of texts joined by AND."""
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _window(value: Any) -> str:
    text = f"{value.get('count')} {value.get('granularity')}" if isinstance(value, dict) else str(value)
    found = _WINDOW.fullmatch(text.lower())
    if found is None:
        raise _LeftOutError(f"'{text}' is no window such as '7 days'")
    return f"{found.group(1)} {found.group(2)}"
