"""The page about Python: its code runs as it stands, on the shop."""

import re
from pathlib import Path

import pytest

from tests.session.conftest import folder as _folder

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "python.md"
folder = _folder


def test_the_code_of_the_page_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 6
    code = "\n".join(blocks).replace('ingot.open("shop")', f"ingot.open({str(folder)!r})")
    known: dict[str, object] = {}
    exec(compile(code, str(PAGE), "exec"), known)
    # The two branches: one more order of 100.
    assert len(known["again"].rows()) == 1  # type: ignore[attr-defined]
    assert known["answer"].columns[:2] == ("customers.city", "orders.created_at.month")  # type: ignore[attr-defined]
