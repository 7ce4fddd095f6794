"""By which columns the rows of a table are told apart, as the project's files say."""

from collections.abc import Mapping

from ingot.project import Project


def source_keys(project: Project) -> Mapping[str, tuple[str, ...]]:
    """The `primary_key` of each source table that has one, by the table's full name."""
    return {
        table.full_name: tuple(table.primary_key)
        for source in project.sources
        for table in source.tables
        if table.primary_key
    }
