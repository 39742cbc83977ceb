from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app.shop import Shop
from tests.support.checks import problem_of
from tests.support.orders import ORDERS, get_order, move, patch, traces


@pytest.mark.parametrize("tag", ['"2"', '"1", "2"', "*", '"x" , "2"'])
def test_who_names_the_present_version_may_change_it(client: FlaskClient, order_id: str, tag: str) -> None:
    assert move(client, order_id, "processed", **{"If-Match": tag}).status_code == 200


@pytest.mark.parametrize("tag", ['"1"', '"3"', 'W/"2"', '"x"', '"2.0"', "''"])
def test_who_names_another_version_is_told_so(
    client: FlaskClient, shop: Shop, order_id: str, tag: str
) -> None:
    before = traces(shop)
    for response in (
        move(client, order_id, "processed", **{"If-Match": tag}),
        patch(client, order_id, {"notes": "x"}, **{"If-Match": tag}),
    ):
        problem = problem_of(response, 412)
        assert "a versão atual é 2" in problem["detail"]
        assert problem["error_type"] == "precondition_failed"
    assert traces(shop) == before


def test_of_two_clerks_the_second_is_told_that_the_order_changed(client: FlaskClient, order_id: str) -> None:
    tag = {"If-Match": client.get(f"{ORDERS}/{order_id}").headers["ETag"]}
    assert patch(client, order_id, {"notes": "first"}, **tag).status_code == 200
    problem_of(patch(client, order_id, {"notes": "second"}, **tag), 412)
    assert get_order(client, order_id)["notes"] == "first"
