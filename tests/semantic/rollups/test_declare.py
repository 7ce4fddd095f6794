"""Mistakes in pre-aggregations are the project's mistakes: found with all others, before anything runs."""

import pytest

from ingot.project import ProjectError
from ingot.semantic import check_project
from tests.semantic import shop
from tests.semantic.rollups.shelf import cubes


def test_a_rollup_over_what_is_not_there_is_found_when_the_project_is_checked() -> None:
    rollup = {"name": "monthly", "type": "rollup", "measures": ["total"], "dimensions": ["statu"]}
    with pytest.raises(ProjectError, match=r"statu\b.*status") as caught:
        check_project(shop.project(cubes([rollup])))
    assert all("monthly" in str(one) for one in caught.value.problems)


def test_a_project_whose_rollups_fit_is_in_order() -> None:
    rollup = {"name": "monthly", "type": "rollup", "measures": ["total"], "dimensions": ["status"]}
    assert "orders" in check_project(shop.project(cubes([rollup]))).cubes
