"""Spark with Iceberg's runtime as a client of the lake: one JVM, spoken to in SQL."""

import contextlib
import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from tests.lake.clients.parts import java, part

SESSION = {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.sql.session.timeZone": "UTC",
}
"""What the how-to page sets for all catalogs."""

WAIT = 120
"""Seconds that one statement may take on a busy machine."""


class SparkError(Exception):
    """What Spark says where a statement fails."""


class Spark:
    """A running Spark."""

    def __init__(self, worker: "subprocess.Popen[bytes]", log: Path) -> None:
        self._worker, self._log = worker, log
        self._answers: queue.Queue[tuple[str, Any]] = queue.Queue()
        threading.Thread(target=self._listen, args=(worker.stdout,), daemon=True).start()
        self.version = str(self._answer()[0][0])

    def _listen(self, answers: IO[bytes]) -> None:
        with contextlib.suppress(EOFError):
            while True:
                self._answers.put(pickle.load(answers))
        self._answers.put(("error", f"Spark ended. {self._log.read_text()[-3000:]}"))

    def _answer(self) -> list[tuple[Any, ...]]:
        kind, told = self._answers.get(timeout=WAIT)
        if kind == "error":
            raise SparkError(told)
        found: list[tuple[Any, ...]] = told
        return found

    def _ask(self, *question: str) -> list[tuple[Any, ...]]:
        assert self._worker.stdin is not None
        pickle.dump(question, self._worker.stdin)
        self._worker.stdin.flush()
        return self._answer()

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of one statement; raises `SparkError`."""
        return self._ask("sql", statement)

    def attach(self, name: str, address: str, warehouse: str) -> None:
        """A ref of the lake as the catalog `name`."""
        self._set(catalog(name, address, warehouse))

    def attach_nessie(self, name: str, address: str, ref: str, warehouse: str) -> None:
        """A ref of the lake as the catalog `name`, over Nessie's API."""
        self._set(nessie_catalog(name, address, ref, warehouse))

    def _set(self, settings: Mapping[str, str]) -> None:
        for setting, value in settings.items():
            self._ask("set", setting, value)


def catalog(name: str, address: str, warehouse: str) -> dict[str, str]:
    """The settings that the how-to page gives for a catalog."""
    prefix = f"spark.sql.catalog.{name}"
    return {
        prefix: "org.apache.iceberg.spark.SparkCatalog",
        f"{prefix}.type": "rest",
        f"{prefix}.uri": f"{address}/iceberg",
        f"{prefix}.warehouse": warehouse,
    }


def nessie_catalog(name: str, address: str, ref: str, warehouse: str) -> dict[str, str]:
    """The settings that the how-to page gives for a catalog that uses Nessie's API."""
    prefix = f"spark.sql.catalog.{name}"
    return {
        prefix: "org.apache.iceberg.spark.SparkCatalog",
        f"{prefix}.catalog-impl": "org.apache.iceberg.nessie.NessieCatalog",
        f"{prefix}.uri": f"{address}/api/v2",
        f"{prefix}.ref": ref,
        f"{prefix}.warehouse": warehouse,
    }


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Spark]:
    """Spark in a process of its own, which ends with the block; skips where it is not installed."""
    home, parts = java(17, 21), part("spark")
    settings = {
        "spark.master": "local[2]",
        "spark.driver.memory": "1g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        **SESSION,
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(folder / "spark-warehouse"),
        "spark.local.dir": str(folder),
    }
    program = [sys.executable, str(Path(__file__).with_name("spark_worker.py")), json.dumps(settings)]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("SPARK", "PYSPARK"))},
        "JAVA_HOME": str(home),
        "PYTHONPATH": str(parts),
        "PYTHONWARNINGS": "ignore",
        "TZ": "UTC",
    }
    log = folder / "spark.log"
    with log.open("wb") as errors:
        worker = subprocess.Popen(
            program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
    try:
        yield Spark(worker, log)
    finally:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.close()
        try:
            worker.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait(20)
        worker.stdout.close()
