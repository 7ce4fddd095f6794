"""A session beside a project's files: the lake, the engine and the semantic layer in this process."""

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

from ingot import project
from ingot.engines.duckdb import DuckDBEngine
from ingot.lake import Lake
from ingot.semantic import Service
from ingot.session.answer import Answer
from ingot.session.stream import read


class Local:
    """Answers from the files of one project. Raises `ProjectError` for files that are wrong."""

    def __init__(self, folder: Path, *, profile: str | None = None) -> None:
        with ExitStack() as stack:
            opened = project.load(project.find(folder), profile=profile)
            self._lake = stack.enter_context(Lake.open(opened))
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="ingot-"))
            self._scratch = Path(scratch)
            self._engine = DuckDBEngine(self._lake, readable=(self._scratch,))
            stack.callback(self._engine.close)
            self._service = Service(opened, self._lake, self._engine)
            stack.callback(self._service.close)
            self._open = stack.pop_all()

    def load(self, query: Mapping[str, Any], ref: str) -> Answer:
        path = self._new_file()
        said = self._service.export(query, path, format="arrow", ref=ref)
        return self._answer(path, ref, said["commit"])

    def sql(self, text: str, ref: str) -> Answer:
        at = self._lake.at(ref)
        path = self._new_file()
        self._engine.export(text, at=at, path=path, format="arrow")
        return self._answer(path, ref, at.hash)

    def meta(self, ref: str) -> list[dict[str, Any]]:
        cubes: list[dict[str, Any]] = self._service.meta(ref=ref)["cubes"]
        return cubes

    def tables(self, ref: str) -> list[str]:
        at = self._lake.at(ref)
        return sorted([*at.tables, *at.views])

    def refs(self) -> dict[str, str]:
        return {ref.name: ref.hash for ref in self._lake.catalog.refs()}

    def branch(self, name: str, start: str) -> None:
        self._lake.branch(name, start)

    def close(self) -> None:
        self._open.close()

    def _new_file(self) -> Path:
        return self._scratch / f"{uuid4().hex}.arrow"

    @staticmethod
    def _answer(path: Path, ref: str, commit: str) -> Answer:
        try:
            return Answer(read(path.read_bytes()), ref=ref, commit=commit)
        finally:
            path.unlink(missing_ok=True)
