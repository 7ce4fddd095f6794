"""`dashboards/*.yml`: pages of tiles, each one question to the semantic layer."""

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from ingot.project.environment import FromEnv, concealed
from ingot.project.member import Filter
from ingot.project.place import Marks
from ingot.project.spec import Frozen, Member, Positive, Slug, Some, Spec, Text, TextOr, Whole, Word
from ingot.project.tree import Map, Seq

Granular = Literal["auto", "second", "minute", "hour", "day", "week", "month", "quarter", "year"]
Order = Annotated[Mapping[Member, Literal["asc", "desc"]], AfterValidator(Frozen)]
NumberFormat = Literal["currency", "percent", "number", "abbr"]
_WIDTHS = {"kpi": 3, "trend": 8, "breakdown": 4, "table": 12}


class TimeRange(Spec):
    """The page's date range."""

    kind: ClassVar[str] = "time"

    dimension: Member = Field(
        description="The time dimension that the range holds for, such as sales.order_date."
    )
    range: TextOr[Annotated[tuple[Word, Word], Field()]] = Field(
        "last 12 months", description="A relative range such as 'last 12 months', or [first day, last day]."
    )
    granularity: Granular = Field(
        "auto", description="auto: by day up to 31 days, by week up to 26 weeks, else by month."
    )

    @classmethod
    def inspect(cls, data: Map, report: Callable[..., None]) -> None:
        days = data.get("range")
        if not isinstance(days, Seq):
            return
        parsed = []
        for day in days:
            try:
                parsed.append(datetime.date.fromisoformat(str(day)[:10]))
            except ValueError:
                report("range", f"'{concealed(day)}' is not a date", expected="dates as 2026-01-31")
        if len(parsed) == 2 and parsed[0] > parsed[1]:
            report("range", "the range ends before it begins", expected="[first day, last day]")


class Tile(Spec):
    """What all tiles have in common."""

    name: Slug = Field(
        "", validate_default=False, description="A unique id on the page. Default: the title as a word."
    )
    title: Text = Field("", description="What the tile is called. Default: from its measure.")
    description: Text | None = Field(None, description="What it shows. Default: the measure's description.")
    measures: Some[Member] = Field((), description="The measures.")
    dimensions: Some[Member] = Field((), description="The dimensions.")
    filters: tuple[Filter, ...] = Field(
        (), description="Conditions for this tile, besides those of the page."
    )
    segments: Some[Member] = Field((), description="Segments for this tile.")
    time: Member | None = Field(
        None, description="The time dimension of the date range. Default: the page's; null: no date range."
    )
    format: NumberFormat | None = Field(
        None, description="How numbers are shown. Default: the measure's format."
    )
    width: Whole = Field(12, ge=1, le=12, description="Columns out of 12.")


class Kpi(Tile):
    """One number, its change to the previous period of equal length, and a sparkline."""

    kind: ClassVar[str] = "kpi tile"

    type: Literal["kpi"] = Field(description="The kind of tile.")
    measures: Some[Member] = Field(min_length=1, max_length=1, description="The measure.")
    dimensions: Some[Member] = Field((), max_length=0, description="A kpi has no dimensions.")
    better: Literal["up", "down", "none"] = Field("up", description="Which direction is good.")
    width: Whole = Field(3, ge=1, le=12, description="Columns out of 12.")


class Trend(Tile):
    """Measures over time, a line for each value of a dimension."""

    kind: ClassVar[str] = "trend tile"

    type: Literal["trend"] = Field(description="The kind of tile.")
    measures: Some[Member] = Field(min_length=1, description="The measures.")
    dimensions: Some[Member] = Field((), max_length=1, description="None, or one: a line for each value.")
    granularity: Granular | None = Field(None, description="Granularity. Default: the page's.")
    chart: Literal["area", "line", "bar"] = Field("area", description="How it is drawn.")
    limit: Positive = Field(8, le=50, description="Most lines.")
    width: Whole = Field(8, ge=1, le=12, description="Columns out of 12.")


class Breakdown(Tile):
    """One measure by one dimension, or by two (stacked)."""

    kind: ClassVar[str] = "breakdown tile"

    type: Literal["breakdown"] = Field(description="The kind of tile.")
    measures: Some[Member] = Field(min_length=1, max_length=1, description="The measure.")
    dimensions: Some[Member] = Field(min_length=1, max_length=2, description="The dimension, or two.")
    chart: Literal["bar", "column", "donut"] = Field("bar", description="How it is drawn.")
    order: Order = Field(
        default_factory=Frozen, description="Order of the values. Default: by the measure, largest first."
    )
    limit: Positive = Field(10, le=1000, description="Most values.")
    width: Whole = Field(4, ge=1, le=12, description="Columns out of 12.")


class TableTile(Tile):
    """Rows and columns."""

    kind: ClassVar[str] = "table tile"

    type: Literal["table"] = Field(description="The kind of tile.")
    order: Order = Field(
        default_factory=Frozen, description="Order of the rows. Default: by the first measure, largest first."
    )
    limit: Positive = Field(20, le=10000, description="Most rows.")

    @classmethod
    def inspect(cls, data: Map, report: Callable[..., None]) -> None:
        if not data.get("measures") and not data.get("dimensions"):
            report(
                None, f"{cls.called(data)} has neither 'measures' nor 'dimensions'", expected="one of the two"
            )


AnyTile = Annotated[Kpi | Trend | Breakdown | TableTile, Field(discriminator="type")]


class Dashboard(Spec):
    """A page of tiles."""

    kind: ClassVar[str] = "dashboard"

    name: Slug = Field(description="The dashboard's name, part of its address. Default: the file's name.")
    title: Text = Field("", description="What the page is called. Default: the name, spaced and capitalised.")
    description: Text | None = Field(None, description="What the page is for, in one or two sentences.")
    time: TimeRange | None = Field(None, description="The page's date range.")
    filters: tuple[Filter, ...] = Field((), description="Conditions that hold for every tile.")
    tiles: tuple[AnyTile, ...] = Field((), description="The tiles, in reading order.")

    @classmethod
    def inspect(cls, data: Map, report: Callable[..., None]) -> None:
        name = data.get("name")
        if isinstance(name, str) and "title" not in data:
            data["title"] = spaced(name)
        tiles = data.get("tiles")
        if not isinstance(tiles, Seq):
            return
        time = data.get("time")
        page_time = time.get("dimension") if isinstance(time, Map) else None
        filled = Seq(tiles.file, tiles.at)
        filled.marks = tiles.marks
        used: dict[str, Any] = {}
        for tile in tiles:
            filled.append(_filled(tile, page_time) if isinstance(tile, Map) else tile)
            if isinstance(tile, Map) and isinstance(tile.get("name"), str):
                written, place = tile["name"], tile.marks.value("name")
                if written in used:
                    report(
                        place,
                        f"the tile '{concealed(written)}' of {cls.called(data)} has the name of another, first at {used[written]}",
                    )
                used[written] = place
        for tile in filled:
            if isinstance(tile, Map) and "name" not in tile:
                tile["name"] = _free(slug(str(concealed(tile.get("title", "tile")))), used)
                used[tile["name"]] = None
        data["tiles"] = filled


def _filled(tile: Map, page_time: Any) -> Map:
    """The tile with its title and time dimension, where the file leaves them to the default."""
    made = Map(Marks(tile.marks.file, tile.marks.at, tile.marks.keys, tile.marks.values), tile)
    measures = tile.get("measures")
    first = measures[0] if isinstance(measures, Seq) and measures else measures
    if tile.get("title") is None:
        made["title"] = spaced(first) if isinstance(first, str) else spaced(str(tile.get("type", "tile")))
    if "time" not in tile and page_time is not None:
        made["time"] = page_time
    if made.get("name") is None:
        made.pop("name", None)
    return made


def spaced(name: str) -> str:
    """A name as a title: `total_revenue` is `Total revenue`."""
    words = re.sub(r"[_-]+", " ", name.rpartition(".")[2]).strip()
    title = words[:1].upper() + words[1:]
    return FromEnv(title, name.template) if isinstance(name, FromEnv) else title


def slug(title: str) -> str:
    """A title as a word: `Revenue by month` is `revenue-by-month`."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "tile"


def _free(wanted: str, used: dict[str, Any]) -> str:
    name, n = wanted, 1
    while name in used:
        n += 1
        name = f"{wanted}-{n}"
    return name
