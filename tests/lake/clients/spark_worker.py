"""A program of its own: starts Spark, runs the SQL that stands pickled on its input, answers with the rows.

Spark comes from a folder of its own, not from this project's packages. It ends when its input ends.
"""

import json
import os
import pickle
import sys
from datetime import UTC
from typing import Any


def plain(value: Any) -> Any:
    """A value of Spark's as DuckDB would give it."""
    if isinstance(value, bytearray):
        return bytes(value)
    if hasattr(value, "asDict"):
        return {name: plain(one) for name, one in value.asDict(recursive=False).items()}
    if isinstance(value, dict):
        return {plain(name): plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value


def rows(frame: Any) -> list[tuple[Any, ...]]:
    """All rows; moments get the time zone in which they were given, which is UTC."""
    moments = {i for i, field in enumerate(frame.schema.fields) if field.dataType.typeName() == "timestamp"}

    def shown(i: int, value: Any) -> Any:
        return value.replace(tzinfo=UTC) if i in moments and value is not None else plain(value)

    return [tuple(shown(i, value) for i, value in enumerate(row)) for row in frame.collect()]


def main() -> None:
    """Answers until the input ends: ("rows", …), or ("error", what it says)."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what Spark prints must not stand between the answers
    from py4j.protocol import Py4JJavaError  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
    from pyspark.errors import PySparkException  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
    from pyspark.sql import SparkSession  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

    builder = SparkSession.builder
    for name, value in json.loads(sys.argv[1]).items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    answer: tuple[str, Any] = ("rows", [(spark.version,)])
    while True:
        pickle.dump(answer, answers)
        answers.flush()
        try:
            kind, *rest = pickle.load(sys.stdin.buffer)
        except EOFError:
            break
        try:
            if kind == "set":
                spark.conf.set(*rest)
                answer = ("rows", [])
            else:
                answer = ("rows", rows(spark.sql(*rest)))
        except (Py4JJavaError, PySparkException) as error:
            answer = ("error", str(error)[:4000])
    spark.stop()


if __name__ == "__main__":
    main()
