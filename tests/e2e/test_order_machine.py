"""Random clients, clerks, scrapes and crashes compared with a model, every copy after every step."""

from __future__ import annotations

import functools
import hashlib
import logging
import math
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import create_engine, event, make_url, select
from sqlalchemy.orm import Session

from app.core.errors import ShopError
from app.core.orders import REQUESTABLE, Line, Order, OrderStatus, PaymentStatus
from app.core.payments import Decision
from app.core.safety_gate import Limit
from app.core.scraping import Difference
from app.services import catalogue as publishing
from app.services import reconcile_payments
from app.services.catalogue import CrawlRejected, publish_crawl
from app.services.orders import Draft, Orders
from app.storage import catalogue as catalogue_rows
from app.storage import idempotency, stock
from app.storage.audit import find_mismatches
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database, database_options
from app.storage.idempotency import IdempotencyKey
from app.storage.models import BookRow
from app.storage.orders import OrderFilter, list_orders
from tests.support.books import TRUSTING, make_crawl, make_scraped
from tests.support.metrics import make_metrics
from tests.support.order_model import FakeGateway, Killed, Model, Shelf, WatchedPayments, ignore

METRICS = make_metrics()
GIVES_UP_AT_ONCE = timedelta(hours=-1)
PRICES = {"a": Decimal("0.10"), "b": Decimal("12.34"), "c": Decimal("99.99"), "d": Decimal("5.00")}
LINES = st.lists(st.tuples(st.sampled_from("aaabbbcccd"), st.integers(1, 3)), min_size=1, max_size=3)
CARDS = st.sampled_from(["approved"] * 6 + list(FakeGateway.CARDS))
FAILED, GONE = -1, -2
COUNTS = st.fixed_dictionaries(
    {name: st.sampled_from([9, 9, 9, 9, 6, 3, 0, FAILED, GONE]) for name in PRICES}
)
"""A scrape: the supplier's count of each book, or that its page failed, or that it has vanished."""
LIVES = st.sampled_from([math.inf] * 36 + list(range(36)))
"""The statements and commits after which a process dies."""
MEANWHILE = st.just(["die"]) | st.lists(
    st.sampled_from(["reconcile elsewhere", "reconcile here", "retry", "buy", "cancel", "scrape"]),
    min_size=1,
    max_size=3,
)
ANY_SHARE = Limit(Decimal(1), "ANY")
CREDULOUS = replace(TRUSTING, max_failed_share=ANY_SHARE)
FOR_CI = settings(
    max_examples=30,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
Lines = Sequence[tuple[str, int]]


class OrderMachine(RuleBasedStateMachine):
    """A process with its catalogue, and another one on the same database."""

    def __init__(self, migrated: Path, folder: Path) -> None:
        super().__init__()
        self.path = folder / f"{uuid.uuid4().hex}.db"
        shutil.copy(migrated, self.path)
        url = f"sqlite:///{self.path}"
        self.database = Database(create_engine(url, **database_options(url, threads=8)))
        event.listen(self.database.engine, "before_cursor_execute", lambda *_: self.live())
        event.listen(self.database.engine, "commit", lambda _: self.live(commits=1))
        self.lives, self.commits = math.inf, 0
        self.gateway, self.model = FakeGateway(), Model(PRICES)
        self.sent: list[tuple[Lines, str]] = []

    def teardown(self) -> None:
        self.gateway.let_go()
        self.database.engine.dispose()
        for file in self.path.parent.glob(f"{self.path.name}*"):
            file.unlink()

    def live(self, commits: int = 0) -> None:
        self.lives -= 1
        if self.lives < 0:
            raise Killed
        self.commits += commits

    @initialize(demonstration=st.booleans())
    def open_shop(self, demonstration: bool) -> None:
        self.here, self.elsewhere = (CatalogueStore(self.database, math.inf) for _ in range(2))
        if not demonstration:
            return self.scrape({"c": 9, "a": 9, "b": 4}, math.inf)
        bundled = catalogue_rows.as_listed(make_scraped(name, stock=4, price=PRICES[name]) for name in "cab")
        now = datetime.now(UTC)
        with self.database.writing() as session:
            added = Difference(added=bundled)
            catalogue_rows.apply_difference(session, added, now, stock.Reason.BUNDLED)
            catalogue_rows.record_publication(session, now, catalogue_rows.DEMONSTRATION, "", added)
        self.model.demonstration = True
        self.model.books = {name: Shelf(place, 4) for place, name in enumerate("cab")}
        self.here.refresh()
        return None

    @rule(lines=LINES, keyed=st.booleans(), card=CARDS)
    def buy(self, lines: Lines, keyed: bool, card: str) -> None:
        self.place(lines, self._key(keyed), card)

    @rule(lines=LINES, keyed=st.booleans(), card=CARDS, lives=st.integers(0, 36))
    def buy_and_die(self, lines: Lines, keyed: bool, card: str, lives: int) -> None:
        self.place(lines, self._key(keyed), card, lives)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), other=st.none() | LINES, card=CARDS)
    def send_again(self, data: st.DataObject, other: Lines | None, card: str) -> None:
        """Send a key again, with its body or with another."""
        lines, key = data.draw(st.sampled_from(self.sent))
        self.place(other or lines, key, card)

    @rule(lines=LINES, card=CARDS, after_decision=st.booleans(), others=MEANWHILE, counts=COUNTS)
    def buy_meanwhile(
        self, lines: Lines, card: str, after_decision: bool, others: list[str], counts: dict[str, int]
    ) -> None:
        """Let others act, or the process die, before or after the gateway's decision."""

        def act(order_id: str) -> None:
            for other in others:
                if other == "die":
                    raise Killed
                if other in {"reconcile elsewhere", "reconcile here"}:
                    self.reconcile(math.inf, elsewhere=other == "reconcile elsewhere", away=False)
                elif other == "cancel":
                    self.change(order_id, OrderStatus.CANCELLED, math.inf)
                elif other == "scrape":
                    self.scrape(counts, math.inf)
                else:
                    self.place(lines, key if other == "retry" else None, "approved")

        key = self._key(True)
        moments = (ignore, act) if after_decision else (act, ignore)
        self.place(lines, key, card, math.inf, *moments)

    @precondition(lambda self: self.model.allowed())
    @rule(data=st.data(), lives=LIVES)
    def serve(self, data: st.DataObject, lives: float) -> None:
        self.change(*data.draw(st.sampled_from(self.model.allowed())), lives)

    @rule()
    def request_forbidden_changes(self) -> None:
        """Request them for the orders that were changed last."""
        for order_id in list(self.model.sales)[-2:]:
            for after in set(REQUESTABLE) - {
                allowed for of, allowed in self.model.allowed() if of == order_id
            }:
                self.change(order_id, after, math.inf)

    @rule(lives=LIVES, elsewhere=st.booleans(), away=st.sampled_from([False, False, True]))
    def reconcile(self, lives: float, elsewhere: bool, away: bool) -> None:
        """Reconcile: to the other process, all orders here are abandoned; this one only voids payments."""
        self.gateway.away = away
        orders = self._orders(timedelta(hours=-1 if elsewhere else 1))
        steps = self.model.reconciling(self.gateway, all_abandoned=elsewhere)
        with patch.object(reconcile_payments, "is_known_alive", return_value=not elsewhere):
            outcome, commits = self._run(orders.reconcile, lives)
        assert sum(1 for _ in islice(steps, commits if outcome is Killed else None)) == commits
        self.gateway.away = False
        self.here.refresh()

    @rule(counts=COUNTS, lives=LIVES)
    def scrape(self, counts: dict[str, int], lives: float) -> None:
        def publish() -> None:
            with self.database.writing() as session:
                publication, _ = publish_crawl(session, crawl, CREDULOUS, "https://shop.invalid/")
            self.here.ensure_version(publication.version)

        read = {name: counted for name, counted in counts.items() if counted >= 0}
        failed = {name for name, counted in counts.items() if counted == FAILED}
        pages = [make_scraped(name, stock=counted, price=PRICES[name]) for name, counted in read.items()]
        crawl = make_crawl(*pages, failed=tuple(failed))
        outcome, commits = self._run(publish, lives)
        assert outcome in {Killed, None if read else "CrawlRejected"}
        if commits:
            self.model.publish(read, failed)

    def place(
        self,
        lines: Lines,
        key: str | None,
        card: str,
        lives: float = math.inf,
        before: Callable[..., None] = ignore,
        after: Callable[..., None] = ignore,
    ) -> None:
        """Place an order and compare the outcome with the model's; a process that dies is restarted."""
        if key:
            self.sent.append((lines, key))
        basket = dict(sum((Counter({name: quantity}) for name, quantity in lines), Counter()))
        body = hashlib.sha256(repr(lines).encode()).hexdigest()
        expected, reserved = self.model.refusal(key, body, basket), []

        def when_reserved(order: Order) -> None:
            assert expected is None
            reserved.append(order.id)
            self.model.reserve(order.id, key, body, basket)
            before(order.id)

        def when_decided(order: Order, decision: Decision | None) -> None:
            assert decision is FakeGateway.CARDS[card]
            after(order.id)

        ids = {name: shelf.id for name, shelf in self.model.books.items()}
        order_lines = tuple(Line(ids.get(name, 99), quantity) for name, quantity in lines)
        draft = Draft(customer_id=key or "keyless", lines=order_lines, token=card)
        timeout_s = 0.01 if card == "slow" else 60
        orders = self._orders(timeout_s=timeout_s, before=when_reserved, after=when_decided)
        use = IdempotencyKey(key, body) if key else None
        outcome, commits = self._run(lambda: {"placed": orders.place(draft, use, "cliente").order.id}, lives)
        if outcome is Killed:
            assert commits == 0 if not reserved else commits in {1, 2}
            if commits == 2:
                self.model.finalize(reserved[0], FakeGateway.CARDS[card])
            return
        if reserved:
            expected = self.model.finalize(reserved[0], FakeGateway.CARDS[card])
        elif isinstance(expected, str):
            self.model.refuse(key, body, expected)
        assert outcome == expected

    def change(self, order_id: str, after: OrderStatus, lives: float) -> None:
        outcome, commits = self._run(
            lambda: self._orders().change(order_id, after, {}, None, "balcão").status, lives
        )
        if commits or outcome is not Killed:
            expected = after if self.model.change(order_id, after) else "TransitionNotAllowed"
            assert outcome in {Killed, expected}

    @invariant()
    def every_copy_is_accounted_for(self) -> None:
        with self.database.reading() as session:
            assert find_mismatches(session, datetime.now(UTC)) == []
            rows = session.execute(select(BookRow.id, BookRow.listed, BookRow.stock, BookRow.short)).all()
        free = {shelf.id: (shelf.listed, self.model.free(name)) for name, shelf in self.model.books.items()}
        assert {book_id: tuple(rest) for book_id, *rest in rows} == {
            book_id: (listed, max(0, copies), max(0, -copies)) for book_id, (listed, copies) in free.items()
        }
        on_sale = {book_id: max(0, copies) for book_id, (listed, copies) in free.items() if listed}
        for catalogue in (self.here.current(), self.elsewhere.refresh()):
            frame = catalogue.books()
            assert dict(zip(frame["id"], frame["stock"], strict=True)) == on_sale
            assert {book_id: catalogue.book(book_id).stock for book_id in on_sale} == on_sale

    @invariant()
    def every_order_is_as_its_outcome_says(self) -> None:
        with self.database.reading() as session:
            orders, _ = list_orders(session, OrderFilter(), 0, 1_000)
        assert {
            order.id: (
                {item.name.removeprefix("Book "): item.quantity for item in order.items},
                order.total,
                order.status,
                order.payment_status,
                order.version,
            )
            for order in orders
        } == {
            sale.id: (sale.basket, sale.total, sale.status, sale.payment, sale.version)
            for sale in self.model.sales.values()
        }
        keys = [
            order.customer_id
            for order in orders
            if order.status is not OrderStatus.FAILED and order.customer_id != "keyless"
        ]
        assert len(keys) == len(set(keys)), "a key made two orders"
        for order in orders:
            if order.payment_status is PaymentStatus.APPROVED:
                assert self.gateway.charged(order.id)
            elif order.payment_status in {PaymentStatus.DENIED, PaymentStatus.VOIDED}:
                assert not self.gateway.charged(order.id)

    def _key(self, keyed: bool) -> str | None:
        """Return a new key, or None."""
        return f"k{len(self.sent)}" if keyed else None

    def _orders(
        self,
        abandoned_after: timedelta = timedelta(hours=1),
        timeout_s: float = 60,
        before: Callable[..., None] = ignore,
        after: Callable[..., None] = ignore,
    ) -> Orders:
        payments = WatchedPayments(self.gateway, timeout_s, METRICS)
        payments.before, payments.after = before, after
        store = self.elsewhere if abandoned_after < timedelta(0) else self.here
        return Orders(self.database, store, payments, METRICS, abandoned_after, GIVES_UP_AT_ONCE)

    def _run(self, call: Callable[[], Any], lives: float) -> tuple[Any, int]:
        """Return the result, an error's name or Killed, and the number of committed transactions."""
        before, self.lives = self.commits, lives
        try:
            outcome = call()
        except (ShopError, CrawlRejected) as error:
            name = type(error).__name__
            outcome = {"refused": name} if getattr(error, "replayed", False) else name
        except Killed:
            outcome = Killed
        self.gateway.let_go()
        self.lives = math.inf
        if outcome is Killed:
            self.here = CatalogueStore(self.database, math.inf)
            self.here.refresh()
        return outcome, self.commits - before


@pytest.fixture
def play(migrated_url: str, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Return a function that runs the machine; its catalogues are refreshed by the machine alone."""
    logging.disable()
    machine: Any = functools.partial(OrderMachine, Path(str(make_url(migrated_url).database)), tmp_path)
    yield functools.partial(run_state_machine_as_test, machine)
    logging.disable(logging.NOTSET)


def test_whatever_happens_no_copy_is_lost_or_invented(play: Callable[..., None]) -> None:
    play(settings=FOR_CI)


def nothing(_original: Callable[..., Any]) -> Callable[..., Any]:
    return ignore


def twice(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: (original(*args), original(*args))


def unrecorded(_take: Callable[..., Any]) -> Callable[..., Any]:
    def take(session: Session, lines: list[Line], *_: object) -> None:
        for line in lines:
            session.get_one(BookRow, line.product_id).stock -= line.quantity

    return take


@pytest.mark.parametrize(
    ("module", "name", "broken"),
    [
        pytest.param(stock, "reserve", nothing, id="copies sold and not taken"),
        pytest.param(stock, "reserve", unrecorded, id="copies taken without a movement"),
        pytest.param(stock, "release", nothing, id="copies that never come back"),
        pytest.param(stock, "release", twice, id="copies that come back twice"),
        pytest.param(publishing, "reserved_copies", nothing, id="a scrape that forgets who waits"),
        pytest.param(idempotency, "claim_key", nothing, id="a key that makes two orders"),
    ],
)
def test_the_machine_notices(
    module: ModuleType,
    name: str,
    broken: Callable[..., Any],
    play: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, name, broken(getattr(module, name)))
    with pytest.raises(AssertionError):
        play(settings=settings(FOR_CI, phases=[Phase.generate], report_multiple_bugs=False))
