"""`cube.py` of a project: queries rewritten and groups told, before anything is planned; failures refuse."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingot.project import ProjectError
from ingot.semantic import QueryError, Service
from ingot.semantic.context import Context
from ingot.semantic.policy import hooks
from ingot.semantic.policy.hooks import HookError
from ingot.semantic.query import parse
from tests.semantic import shop
from tests.semantic.lakes import Served, served

FILTER = """
from cube import config

@config('query_rewrite')
def query_rewrite(query: dict, ctx: dict) -> dict:
    if 'city' not in ctx['securityContext']:
        raise Exception('no city in the token')
    query['filters'].append({'member': 'customers.city', 'operator': 'equals', 'values': [ctx['securityContext']['city']]})
    ctx['securityContext'].clear()
    return query
"""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("shop")) as made:
        yield made


@pytest.fixture
def serve(there: Served, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    made: list[Service] = []

    def one(text: str, cubes: list[dict[str, Any]] = shop.CUBES) -> Service:
        (tmp_path / "cube.py").write_text(text)
        project = shop.project(cubes)
        project.root = tmp_path
        made.append(Service(project, there.lake, there.engine))
        return made[-1]

    yield one
    for each in made:
        each.close()


ROME = Context({"city": "Rome"})


def test_a_query_is_rewritten_for_every_verb(serve: Callable[..., Service]) -> None:
    service = serve(FILTER)
    query = {"measures": ["orders.count"]}
    for given in (query, parse(query)):
        assert service.load(given, context=ROME)["data"] == [{"orders.count": "2"}]
    assert [one["data"] for one in service.load([query, query], context=ROME)["results"]] == [
        [{"orders.count": "2"}]
    ] * 2
    assert "Rome" in service.sql(query, context=ROME)["sql"]["sql"][1]
    assert service.dry_run(query, context=ROME)["normalizedQueries"][0]["filters"][0]["values"] == ["Rome"]
    assert service.explain(query, context=ROME)["filters"]
    assert service.at_hand(query, context=ROME) is None
    assert query == {"measures": ["orders.count"]}
    assert ROME.security == {"city": "Rome"}


def test_what_a_hook_raises_refuses_the_query_in_its_own_words(serve: Callable[..., Service]) -> None:
    service = serve(FILTER)
    with pytest.raises(HookError, match="refused: no city in the token") as caught:
        service.load({"measures": ["orders.count"]})
    assert caught.value.status == 403


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return query['nope']", r"query_rewrite failed \(KeyError\)"),
        ("return 1 / 0", r"failed \(ZeroDivisionError\)"),
        ("return None", "gave no query"),
        ("return {'measures': ['orders.nope']}", "There is no member"),
        ("return {'measures': 'orders.count'}", "Invalid query"),
        ("query['sql'] = 'select 1'; return query", "not allowed"),
    ],
)
def test_a_hook_that_fails_lets_nothing_through(serve: Callable[..., Service], body: str, said: str) -> None:
    service = serve(
        f"from cube import config\n@config('query_rewrite')\ndef rewrite(query, ctx):\n    {body}\n"
    )
    with pytest.raises(QueryError, match=said) as caught:
        service.load({"measures": ["orders.count"]})
    assert "Traceback" not in str(caught.value)
    assert "cube.py" not in str(caught.value)


def test_groups_come_from_a_hook(serve: Callable[..., Service]) -> None:
    cubes = [dict(one) for one in shop.CUBES]
    cubes[0]["access_policy"] = [{"group": "sales"}]
    text = "from cube import config\n@config\ndef context_to_groups(ctx):\n    return ctx['securityContext'].get('roles', [])\n"
    service = serve(text, cubes)
    asker = Context({"roles": ["sales"]}, ("ignored",))
    assert service.load({"measures": ["orders.count"]}, context=asker)["data"] == [{"orders.count": "3"}]
    assert "orders" in {one["name"] for one in service.meta(context=asker)["cubes"]}
    assert "orders" not in {one["name"] for one in service.meta(context=Context({}, ("sales",)))["cubes"]}
    with pytest.raises(QueryError, match="There is no cube or view"):
        service.load({"measures": ["orders.count"]}, context=Context({}, ("sales",)))
    with pytest.raises(HookError, match="no list"):
        service.load({"measures": ["orders.count"]}, context=Context({"roles": "sales"}))


def test_functions_may_be_async(serve: Callable[..., Service]) -> None:
    service = serve(
        "from cube import config\n@config('query_rewrite')\nasync def f(query, ctx):\n    query['limit'] = 1\n    return query\n"
    )
    assert len(service.load({"dimensions": ["orders.id"]})["data"]) == 1

    async def notebook() -> int:
        return len(service.load({"dimensions": ["orders.id"]})["data"])

    assert asyncio.run(notebook()) == 1, "also where an event loop runs already"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def (", "cube.py:1"),
        ("\nimport nothing_like_this\n", "cube.py:2"),
        ("from cube import config\nconfig.check_auth = lambda: 1\n", "'check_auth' is not supported"),
        ("from cube import config\nconfig.query_rewrite = 1\n", "not a function"),
    ],
)
def test_a_mistake_in_the_file_is_a_problem_of_the_project(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "cube.py").write_text(text)
    with pytest.raises(ProjectError, match=said):
        hooks.load(tmp_path)


def test_a_reload_takes_the_new_file_and_a_wrong_one_leaves_the_old(
    serve: Callable[..., Service], tmp_path: Path
) -> None:
    service = serve(FILTER)
    project = shop.project()
    project.root = tmp_path
    (tmp_path / "cube.py").write_text("1 / 0")
    with pytest.raises(ProjectError, match="ZeroDivisionError"):
        service.reload(project)
    assert service.load({"measures": ["orders.count"]}, context=ROME)["data"] == [{"orders.count": "2"}]
    (tmp_path / "cube.py").unlink()
    service.reload(project)
    assert service.load({"measures": ["orders.count"]})["data"] == [{"orders.count": "3"}]


def test_without_a_file_nothing_is_asked(tmp_path: Path) -> None:
    assert not hooks.load(tmp_path)
    assert not hooks.load(None)
