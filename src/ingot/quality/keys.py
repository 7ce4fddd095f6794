"""By which columns the rows of a table are told apart, as the project's files say."""

import re
from collections.abc import Mapping

from ingot.project import Project

_COLUMN = re.compile(r"\s*(?:\{CUBE\}\.)?(?:(?P<plain>[A-Za-z_]\w*)|\"(?P<quoted>[^\"]+)\")\s*")


def known_keys(project: Project) -> Mapping[str, tuple[str, ...]]:
    """The key of each table that has one, by the table's full name.

    That is the `primary_key` of a source table, and of the cube over a table, where its dimensions are
    plain columns.
    """
    found: dict[str, tuple[str, ...]] = {}
    for cube in project.cubes:
        keys = [one for one in cube.dimensions if one.primary_key]
        columns = [_COLUMN.fullmatch(one.sql or one.name) for one in keys]
        if cube.sql_table and keys and all(columns):
            key = tuple(one["plain"] or one["quoted"] for one in columns if one is not None)
            found.setdefault(cube.sql_table.strip(), key)
    for source in project.sources:
        found |= {one.full_name: tuple(one.primary_key) for one in source.tables if one.primary_key}
    return found
