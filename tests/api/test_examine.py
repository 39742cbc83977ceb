"""The examiner finds this shop right, and wrong once any one response is spoiled."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from app.factory import create_app
from app.settings import SAMPLE_API_KEY
from tests.conftest import ADMIN, close
from tests.support.databases import ReadyShop
from tests.support.in_process import in_process
from tests.support.log_lines import log_written
from tools.examine.__main__ import CALLS, examine, main
from tools.examine.checks import ExaminedCall
from tools.examine.visit import FAULTS, Visit, Wrong

URL = "http://shop.invalid"
FACTS = {
    "/api/v1/books", "/api/v1/books/{id}", "/api/v1/stats/overview", "/api/v1/stats/categories",
    "/api/v1/books/top-rated", "/api/v1/books/price-range?min=&max=", "/api/v1/ml/features",
    "/api/v1/ml/training-data", "/api/v1/ml/predictions",
}  # fmt: skip
"""Routes whose figures are compared."""
MOST = 8
"""Responses of one call that are spoiled in turn; the 200 misspelt names are all alike."""


class Recorded(NamedTuple):
    """A call of a visit that went well, with the visit as it was before."""

    call: ExaminedCall
    before: Visit
    responses: list[requests.Response]


@pytest.fixture(scope="module")
def session(
    ready_shop: ReadyShop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[list[requests.Response]], requests.Session]]:
    """Sessions of one shop on the demonstration catalogue, which note the responses."""
    with ready_shop.copied(tmp_path_factory.mktemp("examined") / "data") as settings:
        app = create_app(settings)
        with log_written(app.extensions["shop"]):
            yield lambda noted: in_process(app.test_client(), lambda _request, made: noted.append(made))
        close(app)


@pytest.fixture(scope="module")
def walk(session: Callable[[list[requests.Response]], requests.Session]) -> list[Recorded]:
    noted: list[requests.Response] = []
    visit = Visit(URL, ADMIN["username"], ADMIN["password"], SAMPLE_API_KEY, session=session(noted))
    walked = []
    for call in CALLS:
        before, seen = copy.copy(visit), len(noted)
        ((_, told, right),) = examine(visit, [call])
        assert right, f"{call.route}: {told}"
        walked.append(Recorded(call, before, noted[seen:]))
    return walked


def test_this_shop_is_found_right_line_by_line(
    session: Callable[[list[requests.Response]], requests.Session], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([URL], session([])) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert len(lines) == len(CALLS)
    assert all(line.startswith("certo ") for line in lines)
    assert last == f"{len(CALLS)} chamadas, {len(CALLS)} certas, 0 erradas"


def test_the_statements_fifteen_calls_are_among_them() -> None:
    assert sum(call.source == "enunciado" for call in CALLS) == 15
    assert {"S0", "S1"} <= {call.source for call in CALLS}


def test_the_visit_leaves_its_order_cancelled_and_its_user(
    session: Callable[[list[requests.Response]], requests.Session], capsys: pytest.CaptureFixture[str]
) -> None:
    shop = session([])
    before = shop.get(f"{URL}/api/v1/books").json()
    assert main([URL], shop) == 0
    assert shop.get(f"{URL}/api/v1/books").json() == before
    orders = shop.get(f"{URL}/orders", headers={"X-API-Key": SAMPLE_API_KEY}).json()["orders"]
    assert {order["status"] for order in orders} == {"cancelled"}
    capsys.readouterr()


def other_status(response: requests.Response) -> None:
    response.status_code = 418


def renamed_keys(response: requests.Response) -> None:
    spoil_json(response, lambda value: {f"{key}_": each for key, each in value.items()})


def one_more(response: requests.Response) -> None:
    def add(value: Any) -> Any:
        return {key: each + 1 if type(each) in (int, float) else each for key, each in value.items()}

    spoil_json(response, add)


def spoil_json(response: requests.Response, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    def spoiled(value: Any) -> Any:
        if isinstance(value, dict):
            return change({key: spoiled(each) for key, each in value.items()})
        return [spoiled(each) for each in reversed(value)] if isinstance(value, list) else value

    if "json" in response.headers.get("Content-Type", ""):
        response._content = json.dumps(spoiled(json.loads(response.content))).encode()
    elif response.content:
        response._content = b"something else"


def is_noticed(recorded: Recorded, place: int, spoil: Callable[[requests.Response], None]) -> bool:
    """Make the call again with its recorded responses, the one at `place` spoiled; tell whether it fails."""
    responses = list(recorded.responses)
    responses[place] = copy.copy(responses[place])
    spoil(responses[place])
    visit = copy.copy(recorded.before)
    visit.session = Replay(responses)
    try:
        recorded.call.check(visit)
    except FAULTS:
        return True
    return False


class Replay(requests.Session):
    def __init__(self, responses: list[requests.Response]) -> None:
        super().__init__()
        self._responses = iter(responses)

    def request(self, *_args: Any, **_kwargs: Any) -> requests.Response:
        return next(self._responses)


def test_a_wrong_status_is_noticed_in_every_call(walk: list[Recorded]) -> None:
    for recorded in walk:
        for place in range(min(MOST, len(recorded.responses))):
            assert is_noticed(recorded, place, other_status), (recorded.call.route, place)


def test_a_wrong_key_is_noticed_in_every_call(walk: list[Recorded]) -> None:
    for recorded in walk:
        for place, response in enumerate(recorded.responses[:MOST]):
            if response.content and not str(response.url).endswith("/scraping/cancel"):  # a courtesy
                assert is_noticed(recorded, place, renamed_keys), (recorded.call.route, place)


def test_a_wrong_figure_is_noticed_where_figures_are_compared(walk: list[Recorded]) -> None:
    compared = [recorded for recorded in walk if recorded.call.route in FACTS]
    assert len(compared) == len(FACTS)
    for recorded in compared:
        assert is_noticed(recorded, 0, one_more), recorded.call.route


def test_a_wrong_suggestion_is_noticed(walk: list[Recorded]) -> None:
    (recorded,) = [each for each in walk if "errado" in each.call.route]
    assert len(recorded.responses) == 202  # the document, 200 names, and a route without parameters

    def propose_another(response: requests.Response) -> None:
        response._content = response.content.replace(b"quis dizer `", b"quis dizer `x")

    assert is_noticed(recorded, 57, propose_another)


def test_it_waits_as_long_as_the_shop_asks_for(walk: list[Recorded]) -> None:
    recorded = walk[0]
    busy = requests.Response()
    busy.status_code = 429
    busy.headers["Retry-After"] = "7"
    waited: list[float] = []
    visit = copy.copy(recorded.before)
    visit.session, visit.pause = Replay([busy, *recorded.responses]), waited.append
    assert recorded.call.check(visit) == "1000 livros"
    assert waited == [7.0]
    visit.session = Replay([busy] * 10)
    with pytest.raises(Wrong, match="429"):
        recorded.call.check(visit)
    assert len(waited) == 4


def test_the_exit_code_tells_of_one_wrong_answer(
    session: Callable[[list[requests.Response]], requests.Session], tmp_path: Path
) -> None:
    class Spoilt(requests.Session):
        def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
            response = shop.request(method, url, *args, **kwargs)
            if str(url).endswith("/stats/overview"):
                renamed_keys(response)
            return response

    shop = session([])
    assert main([URL], Spoilt()) == 1
