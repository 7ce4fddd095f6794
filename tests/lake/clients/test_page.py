"""The how-to page gives the settings with which the tests here start Spark and Trino."""

import re
from pathlib import Path

import pytest

from tests.lake.clients import spark, trino

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "connect-clients.md"


def first_block(section: str) -> str:
    text = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
    found = next(part for part in text if part.startswith(f"{section}\n"))
    assert "*Tested with" in found
    block = re.search(r"^```\w*\n(.*?)^```", found, flags=re.MULTILINE | re.DOTALL)
    assert block is not None
    return block[1]


def test_the_settings_for_spark_are_those_of_the_tests() -> None:
    told = dict(line.split(maxsplit=1) for line in first_block("Spark").splitlines())
    assert told == {**spark.SESSION, **spark.catalog("lake", "http://localhost:4000", "main")}


def test_the_settings_for_trino_are_those_of_the_tests() -> None:
    assert first_block("Trino") == trino.catalog("http://localhost:4000", "main|lake")


def test_the_settings_for_spark_over_nessie_are_those_of_the_tests() -> None:
    text = PAGE.read_text().partition("## Other clients of Nessie")[2]
    block = re.search(r"^```\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert block is not None
    told = dict(line.split(maxsplit=1) for line in block[1].splitlines())
    assert told == spark.nessie_catalog("dev", "http://localhost:4000", "dev", "/path/to/the/warehouse")


@pytest.mark.parametrize("name", ["spark=3.5.7", "iceberg=1.10.1", "trino=476"])
def test_the_page_names_the_versions_that_are_fetched(name: str) -> None:
    script = (PAGE.parents[2] / ".ci" / "java").read_text()
    assert name in script.split()
    assert name.partition("=")[2] in PAGE.read_text()
