"""Making a connection: extensions, time zone, limits."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from ingot.engines.duckdb import connect, load_extension
from ingot.engines.duckdb.connect import extension_path
from ingot.engines.errors import ExtensionError


def test_a_connection_is_in_utc_and_silent() -> None:
    with connect() as con:
        row = con.execute(
            "SELECT current_setting('TimeZone'), current_setting('enable_progress_bar')"
        ).fetchone()
    assert row == ("UTC", False)


def test_cursors_inherit_the_time_zone() -> None:
    with connect() as con, con.cursor() as cursor:
        assert cursor.execute("SELECT current_setting('TimeZone')").fetchone() == ("UTC",)


def test_limits_are_set() -> None:
    with connect(memory_limit="200MB", threads=1) as con:
        row = con.execute("SELECT current_setting('memory_limit'), current_setting('threads')").fetchone()
    assert row == ("190.7 MiB", 1)


@pytest.mark.parametrize("name", ["icu", "avro", "httpfs"])
def test_extensions_come_from_their_wheels(name: str) -> None:
    path = extension_path(name)
    assert path is not None
    assert path.name == f"{name}.duckdb_extension"
    with connect(extensions=[name]) as con:
        loaded = con.execute(
            "SELECT loaded FROM duckdb_extensions() WHERE extension_name = ?", [name]
        ).fetchone()
    assert loaded == (True,)


def test_an_unknown_extension_says_which_package_is_missing() -> None:
    with connect() as con:
        con.execute("SET custom_extension_repository = '/nowhere'")
        with pytest.raises(ExtensionError) as caught:
            load_extension(con, "no_such_thing")
    assert "no_such_thing" in caught.value.message
    assert caught.value.hint == f"pip install duckdb-extension-no-such-thing=={duckdb.__version__}"


def test_an_extension_name_cannot_leave_its_place() -> None:
    assert extension_path("../../etc/passwd") is None
    assert extension_path("icu'; DROP TABLE x") is None


def test_unsigned_extensions_stay_forbidden() -> None:
    with connect() as con:
        assert con.execute("SELECT current_setting('allow_unsigned_extensions')").fetchone() == (False,)


def test_no_temporary_files_are_left_in_the_working_folder(tmp_path: Path) -> None:
    with connect(temp_directory=tmp_path / "spill") as con:
        assert con.execute("SELECT current_setting('temp_directory')").fetchone() == (
            str(tmp_path / "spill"),
        )


def test_the_room_is_imported_without_duckdb() -> None:
    code = "import ingot.engines, sys; sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
