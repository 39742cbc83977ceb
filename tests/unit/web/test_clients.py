from __future__ import annotations

import pytest

from app.web.clients import UNKNOWN, client_of, ip_address_of


@pytest.mark.parametrize(
    ("text", "address", "client"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:40001", "192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7 ", "192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7", "2001:db8::/64"),
        ("2001:DB8:0:0:ffff::1", "2001:db8::ffff:0:0:1", "2001:db8::/64"),
        ("[2001:db8::7]", "2001:db8::7", "2001:db8::/64"),
        ("[2001:db8::7]:40001", "2001:db8::7", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
        ("[fe80::1%eth0]:40001", "fe80::1", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("[::ffff:192.0.2.7]:40001", "192.0.2.7", "192.0.2.7"),
    ],
)
def test_an_address_is_found_in_all_that_proxies_write(text: str, address: str, client: str) -> None:
    assert ip_address_of(text) == address
    assert client_of({"REMOTE_ADDR": text}) == client


@pytest.mark.parametrize(
    "text", ["", "unknown", "_hidden", "hunter2:80", "1.2.3", "[", "[]:1", "1.2.3.4.5", "%"]
)
def test_what_is_no_address_counts_for_the_proxy_that_sent_it(text: str) -> None:
    assert ip_address_of(text) is None
    behind = {"REMOTE_ADDR": text, "werkzeug.proxy_fix.orig": {"REMOTE_ADDR": "10.0.0.1"}}
    assert client_of(behind) == "10.0.0.1"
    assert client_of({"REMOTE_ADDR": text}) == UNKNOWN


def test_neighbours_of_one_ipv6_network_are_one_client_and_other_networks_are_not() -> None:
    neighbours = {client_of({"REMOTE_ADDR": f"2001:db8::{number:x}"}) for number in range(1, 41)}
    assert len(neighbours) == 1
    assert client_of({"REMOTE_ADDR": "2001:db8:0:1::1"}) not in neighbours
