"""Models by security context: who gets which, how many are made, and what a reload does to them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ingot.project import Project, ProjectError, load
from ingot.semantic.compiler.models import MOST, Models
from ingot.semantic.context import ANYONE, Context
from ingot.semantic.model import Model

TEMPLATE = """cubes:
  - name: orders
    sql_table: {{ COMPILE_CONTEXT.securityContext.tenant }}.orders
    dimensions: [{name: id, sql: id, type: number, primary_key: true}]
{% if COMPILE_CONTEXT.securityContext.admin %}
    measures: [{name: cost, type: sum, sql: cost}]
{% endif %}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "ingot.yml").write_text("semantic: {compile_context: {tenant: nobody}}")
    (tmp_path / "semantic").mkdir()
    (tmp_path / "semantic" / "orders.yml").write_text(TEMPLATE)
    return tmp_path


class Made:
    """The models of a project, and every one that was made."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.all: list[Model] = []
        self.models = Models(load(root), self._declare)

    def _declare(self, _project: Project, model: Model) -> None:
        self.all.append(model)

    def table(self, **security: Any) -> str:
        return self.models.of(Context(security)).cubes["orders"].tables[0]


def test_each_tenant_has_its_own_tables_and_nobody_those_of_the_project(root: Path) -> None:
    made = Made(root)
    assert made.models.of(ANYONE).cubes["orders"].tables == ("nobody.orders",)
    assert made.table(tenant="a") == "a.orders"
    assert made.table(tenant="b") == "b.orders"
    assert "orders.cost" in made.models.of(Context({"tenant": "a", "admin": True})).members
    assert "orders.cost" not in made.models.of(Context({"tenant": "a"})).members


def test_contexts_that_agree_in_what_is_read_share_a_model(root: Path) -> None:
    made = Made(root)
    first = made.models.of(Context({"tenant": "a", "user": 1}))
    assert made.models.of(Context({"tenant": "a", "user": 2, "more": {"x": [1]}})) is first
    assert len(made.all) == 2
    assert made.models.at_hand(Context({"user": 3, "tenant": "a"})) is first
    assert made.models.at_hand(Context({"tenant": "new"})) is None


def test_a_context_without_what_is_needed_is_not_the_one_of_nobody(root: Path) -> None:
    made = Made(root)
    for _ in range(2):
        with pytest.raises(ProjectError, match="there is no 'tenant' in the COMPILE_CONTEXT"):
            made.models.of(Context({}))
    assert made.table(tenant="a") == "a.orders"


def test_a_project_that_reads_no_context_has_one_model(root: Path) -> None:
    (root / "semantic" / "orders.yml").write_text("cubes: [{name: orders, sql_table: gold.orders}]")
    made = Made(root)
    assert made.models.of(Context({"tenant": "a"})) is made.models.of(ANYONE)


def test_context_in_sql_makes_models_too_and_is_quoted_there(root: Path) -> None:
    (root / "semantic" / "orders.yml").write_text(
        "cubes: [{name: orders, sql_table: '{COMPILE_CONTEXT.securityContext.tenant}.orders'}]"
    )
    made = Made(root)
    assert made.table(tenant="a") == "a.orders"
    evil = 'a"; DROP TABLE x; --'
    assert made.table(tenant=evil) == f"{evil}.orders"


def test_the_number_of_models_is_bounded(root: Path) -> None:
    made = Made(root)
    for n in range(MOST + 20):
        made.table(tenant=f"t{n}")
    assert len(made.models.now.made) == MOST
    assert made.table(tenant="t0") == "t0.orders"


def test_many_who_ask_for_a_new_tenant_at_once_make_one_model(root: Path) -> None:
    made = Made(root)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: made.models.of(Context({"tenant": "a", "user": n})), range(40)))
    assert len(set(map(id, found))) == 1
    assert len(made.all) == 2


def test_a_reload_is_for_all_contexts_and_a_bad_one_for_none(root: Path) -> None:
    made = Made(root)
    before = made.models.of(Context({"tenant": "a"}))
    (root / "semantic" / "orders.yml").write_text(TEMPLATE.replace(".orders\n", ".orders_v2\n"))
    assert made.models.of(Context({"tenant": "a"})) is before
    made.models.reload(load(root))
    assert made.table(tenant="a") == "a.orders_v2"
    (root / "semantic" / "orders.yml").write_text(TEMPLATE.replace("sql: id", "sql: '{gone}'"))
    with pytest.raises(ProjectError, match="gone"):
        made.models.reload(load(root))
    assert made.table(tenant="b") == "b.orders_v2"


def test_the_projects_own_context_can_change(root: Path) -> None:
    made = Made(root)
    (root / "ingot.yml").write_text("semantic: {compile_context: {tenant: x}}")
    made.models.reload(load(root))
    assert made.models.of(ANYONE).cubes["orders"].tables == ("x.orders",)


def test_cubes_that_are_the_same_for_all_are_compiled_once(root: Path) -> None:
    plain = "cubes: [{name: plain, sql_table: t, dimensions: [{name: id, sql: id, type: number}]}]"
    for name in ("plain", "plain2", "plain3"):
        (root / "semantic" / f"{name}.yml").write_text(plain.replace("plain", name))
    made = Made(root)
    nobody, tenant = made.models.of(ANYONE), made.models.of(Context({"tenant": "a"}))
    assert tenant.cubes["plain"] is nobody.cubes["plain"]
    assert tenant.cubes["orders"] is not nobody.cubes["orders"]
    (root / "semantic" / "plain.yml").write_text(
        plain.replace("sql_table: t", "sql_table: '{COMPILE_CONTEXT.tenant}.t'")
    )
    made.models.reload(load(root))
    assert made.models.of(Context({"tenant": "b"})).cubes["plain"].tables == ("b.t",)
    assert made.models.of(Context({"tenant": "c"})).cubes["plain"].tables == ("c.t",)
