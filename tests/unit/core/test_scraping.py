from __future__ import annotations

from app.core.scraping import Difference, compare
from tests.support.books import make_crawl, make_scraped, make_stored


def test_an_empty_shop_gets_the_ids_from_0_in_site_order() -> None:
    crawl = make_crawl(make_scraped("c"), make_scraped("a"), make_scraped("b"))
    crawl.read = {place: crawl.read[place] for place in (2, 0, 1)}  # as the pages happened to arrive
    added = compare([], crawl).added
    assert [(book.id, book.page.upc) for book in added] == [(0, "upc-c"), (1, "upc-a"), (2, "upc-b")]


def test_the_same_shop_again_changes_nothing() -> None:
    stored = [make_stored(0, "a"), make_stored(1, "b")]
    difference = compare(stored, make_crawl(make_scraped("b"), make_scraped("a")))
    assert not difference
    assert difference == Difference()


def test_a_new_book_comes_after_the_highest_id_ever_given() -> None:
    stored = [make_stored(0, "a"), make_stored(9, "gone", listed=False)]
    difference = compare(stored, make_crawl(make_scraped("new"), make_scraped("a")))
    assert [book.id for book in difference.added] == [10]


def test_a_vanished_book_is_removed_and_keeps_its_id() -> None:
    stored = [make_stored(0, "a"), make_stored(1, "b")]
    difference = compare(stored, make_crawl(make_scraped("a")))
    assert [book.id for book in difference.removed] == [1]
    assert not difference.added


def test_a_book_that_has_vanished_already_is_not_removed_again() -> None:
    stored = [make_stored(0, "a"), make_stored(1, "b", listed=False)]
    assert not compare(stored, make_crawl(make_scraped("a")))


def test_a_returning_book_gets_its_id_back_with_what_the_shop_says_now() -> None:
    stored = [make_stored(4, "a", listed=False, price="1.00")]
    difference = compare(stored, make_crawl(make_scraped("a", price="2.00")))
    assert [
        (change.before, change.after.id, change.after.listed, change.after.page)
        for change in difference.returned
    ] == [(stored[0], 4, True, make_scraped("a", price="2.00"))]
    assert not difference.repriced


def test_a_book_is_known_by_its_upc_wherever_its_page_moved() -> None:
    difference = compare([make_stored(0, "a")], make_crawl(make_scraped("b", upc="upc-a", title="Book a")))
    assert [(change.after.id, change.after.page.url) for change in difference.edited] == [
        (0, "https://shop.invalid/b.html")
    ]
    assert not difference.added
    assert not difference.removed


def test_a_book_with_another_upc_is_known_by_its_url() -> None:
    difference = compare([make_stored(0, "a")], make_crawl(make_scraped("a", upc="upc-z")))
    assert [change.after.id for change in difference.edited] == [0]
    assert not difference.added


def test_the_upc_goes_before_the_url() -> None:
    stored = [make_stored(0, "a"), make_stored(1, "b")]
    moved = make_scraped("a", upc="upc-b")  # b's book on a's page
    difference = compare(stored, make_crawl(moved))
    assert [change.after.id for change in difference.edited] == [1]
    assert [book.id for book in difference.removed] == [0]


def test_two_books_that_swapped_their_pages_keep_their_ids() -> None:
    stored = [make_stored(0, "a"), make_stored(1, "b")]
    difference = compare(stored, make_crawl(make_scraped("a", upc="upc-b"), make_scraped("b", upc="upc-a")))
    assert {(c.after.id, c.after.page.upc) for c in difference.edited} == {(0, "upc-a"), (1, "upc-b")}
    assert not difference.added
    assert not difference.removed


def test_a_new_book_on_the_page_of_one_that_moved_is_a_new_book() -> None:
    moved = make_scraped("elsewhere", upc="upc-a")
    newcomer = make_scraped("a", upc="upc-new")
    difference = compare([make_stored(0, "a")], make_crawl(newcomer, moved))
    assert [(book.id, book.page.upc) for book in difference.added] == [(1, "upc-new")]
    assert [change.after.id for change in difference.edited] == [0]


def test_a_book_whose_page_failed_stays_as_it_was() -> None:
    stored = [make_stored(0, "a"), make_stored(1, "b")]
    assert not compare(stored, make_crawl(make_scraped("a"), failed=("b",)))


def test_a_failed_page_does_not_bring_back_what_had_vanished() -> None:
    stored = [make_stored(0, "a"), make_stored(1, "b", listed=False)]
    assert not compare(stored, make_crawl(make_scraped("a"), failed=("b",)))


def test_a_failed_page_keeps_its_book_where_a_vanished_one_had_the_same_url() -> None:
    page = "https://shop.invalid/b.html"
    stored = [make_stored(0, "a"), make_stored(1, "b"), make_stored(2, "old", listed=False, url=page)]
    assert not compare(stored, make_crawl(make_scraped("a"), failed=("b",)))


def test_a_failed_page_of_an_unknown_book_adds_nothing() -> None:
    assert not compare([make_stored(0, "a")], make_crawl(make_scraped("a"), failed=("unknown",)))


def test_a_book_may_be_repriced_restocked_and_edited_at_once() -> None:
    now = make_scraped("a", price="11.00", stock=1, title="Another")
    difference = compare([make_stored(0, "a")], make_crawl(now))
    assert [len(kind) for kind in (difference.repriced, difference.restocked, difference.edited)] == [1, 1, 1]
    change = difference.repriced[0]
    assert (change.before.page.stock, change.after.page.stock) == (5, 1)
    assert {book_id: book.page for book_id, book in difference.changed().items()} == {0: now}


def test_each_detail_of_a_page_counts_as_an_edit() -> None:
    for detail in (
        {"title": "x"},
        {"category": "x"},
        {"rating": 1},
        {"image_url": "x"},
        {"description": "x"},
    ):
        difference = compare([make_stored(0, "a")], make_crawl(make_scraped("a", **detail)))
        assert len(difference.edited) == 1, detail
        assert not difference.repriced
        assert not difference.restocked


def test_a_failed_page_keeps_its_book_also_where_the_shop_is_read_at_another_host() -> None:
    stored = [make_stored(0, "a"), make_stored(1, "b")]
    crawl = make_crawl(make_scraped("a"), failed=("b",))
    crawl.failed = {
        url.replace("https://shop.invalid", "http://127.0.0.1:8899"): why for url, why in crawl.failed.items()
    }
    assert not compare(stored, crawl).removed


def test_a_difference_without_some_books_changes_nothing_else_and_numbers_new_ones_without_a_gap() -> None:
    stored = [
        make_stored(0, "a"),
        make_stored(1, "b"),
        make_stored(2, "c", listed=False),
        make_stored(3, "d"),
    ]
    pages = [make_scraped(name, price="2.00", stock=1, title="x") for name in ("a", "b", "c", "new1", "new2")]
    difference = compare(stored, make_crawl(*pages)).without({"upc-a", "upc-c", "upc-new1"})
    assert [(book.id, book.page.upc) for book in difference.added] == [(4, "upc-new2")]
    assert not difference.returned
    for changes in (difference.repriced, difference.restocked, difference.edited):
        assert [change.after.id for change in changes] == [1]
    assert [book.id for book in difference.removed] == [3]
    assert not Difference().without({"upc-a"})


def test_a_page_that_led_to_the_book_of_another_fails_and_names_both() -> None:
    crawl = make_crawl(make_scraped("old", upc="same"), make_scraped("b"), make_scraped("new", upc="same"))
    crawl.redirected = {0: "https://shop.invalid/new.html", 1: "https://shop.invalid/b2.html"}
    crawl.fail_repeated()
    assert sorted(crawl.read) == [1, 2]
    assert crawl.failed == {
        "https://shop.invalid/old.html": "redireciona a https://shop.invalid/new.html, "
        "livro já lido em https://shop.invalid/new.html"
    }


def test_of_pages_that_all_led_to_one_book_the_first_has_it() -> None:
    crawl = make_crawl(*(make_scraped(name, upc="same") for name in "abc"))
    crawl.redirected = dict.fromkeys(range(3), "https://shop.invalid/unlisted.html")
    crawl.fail_repeated()
    assert [book.url for book in crawl.in_site_order()] == ["https://shop.invalid/a.html"]


def test_pages_with_one_upc_that_no_redirect_explains_stay_for_the_gate_to_refuse() -> None:
    crawl = make_crawl(make_scraped("a", upc="same"), make_scraped("b", upc="same"))
    crawl.fail_repeated()
    assert (len(crawl.read), crawl.failed) == (2, {})
