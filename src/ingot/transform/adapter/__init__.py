"""Ingot's dbt adapter: dbt-duckdb whose tables and views are those of a lake branch.

Everything that a model may say in dbt-duckdb it may say here: macros dispatch ingot -> duckdb -> default.
What differs is where results go: our materializations (`macros/`) hand a SELECT to `Branch.publish`.
`install()` makes dbt find the adapter; imported in the worker process only.
"""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from dbt.adapters.base.plugin import AdapterPlugin
from dbt.config.profile import Profile

from ingot.transform.adapter.credentials import IngotCredentials
from ingot.transform.adapter.impl import IngotAdapter

Plugin = AdapterPlugin(
    adapter=IngotAdapter,
    credentials=IngotCredentials,
    include_path=str(Path(__file__).parent),
    dependencies=["duckdb"],
    project_name="dbt_ingot",  # as in dbt_project.yml; dbt would take it from the folder's name
)


def install() -> None:
    """Makes `type: ingot` a name that dbt knows.

    dbt imports `dbt.adapters.<type>` and its `__about__` and `__version__`; giving them by hand saves a namespace
    package outside of ours.
    """
    sys.modules["dbt.adapters.ingot"] = sys.modules[__name__]
    for name in ("dbt.adapters.ingot.__about__", "dbt.adapters.ingot.__version__"):
        about = ModuleType(name)
        about.version = _adapter_version()  # type: ignore[attr-defined]
        sys.modules[name] = about
    _show_duckdb_as_target()


def _adapter_version() -> str:
    from dbt.adapters.duckdb.__version__ import version  # noqa: PLC0415

    return str(version)


def _show_duckdb_as_target() -> None:
    # Projects and packages ask `target.type == 'duckdb'` to choose a dialect, and this is that dialect.
    plain = Profile.to_target_dict

    def to_target_dict(self: Profile) -> dict[str, Any]:
        return {**plain(self), "type": "duckdb"}

    if plain.__name__ != "to_target_dict" or plain.__module__ != __name__:
        Profile.to_target_dict = to_target_dict
