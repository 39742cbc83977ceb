"""Who a request comes from: its client's address, and the network that its limits count by."""

import functools
from ipaddress import IPv4Address, IPv6Address, ip_address
from wsgiref.types import WSGIEnvironment

UNKNOWN = "unknown"
"""The key of all clients without an address; none is behind a TCP connection, or a proxy that reached us by one."""
_NETWORK_BITS = 64
"""Bits of an IPv6 address that a client can't choose: it is given at least 2**64 addresses."""


@functools.lru_cache(maxsize=1_024)
def ip_address_of(text: str) -> str | None:
    """Return the address that `text` names, without the port, brackets and zone that proxies may send.

    None where it names none.
    """
    address = _parse(text)
    return None if address is None else str(address)


def client_of(environ: WSGIEnvironment) -> str:
    """Return the key by which limits count the request: an IPv4 address, or the /64 network of an IPv6 one.

    Where a trusted proxy names no address, it is the proxy's own.
    """
    key = _network(environ.get("REMOTE_ADDR") or "")
    if key is None:
        replaced = environ.get("werkzeug.proxy_fix.orig", {})
        key = _network(replaced.get("REMOTE_ADDR") or "")
    return key or UNKNOWN


@functools.lru_cache(maxsize=1_024)
def _network(text: str) -> str | None:
    address = _parse(text)
    if isinstance(address, IPv6Address):
        return f"{IPv6Address(int(address) >> _NETWORK_BITS << _NETWORK_BITS)}/{_NETWORK_BITS}"
    return None if address is None else str(address)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
