"""The network address that limits are counted by."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

# A household or an office gets a whole IPv6 network; counting single addresses would count nobody.
_IPV6_PREFIX: Final = 64
_UNKNOWN: Final = "unknown"

Network = IPv4Network | IPv6Network


def client_address(peer: str | None, forwarded_for: str | None, *, trusted: Sequence[Network]) -> str:
    """Gives the client's address, IPv6 as its /64.

    Each proxy appends the address that it saw to X-Forwarded-For. Read from its end, an entry is believed as long as the
    one who wrote it is a proxy of ours; so the web client's people are counted one by one, and whoever calls us directly
    is counted by the own address, whatever they write into the header.
    """
    entries = [entry.strip() for entry in forwarded_for.split(",")] if forwarded_for else []
    address = _parse(peer or "")
    while entries and address is not None and any(address in network for network in trusted):
        address = _parse(entries.pop())
    return _group(address)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip("[]"))
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _group(address: IPv4Address | IPv6Address | None) -> str:
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), _IPV6_PREFIX), strict=False))
    return str(address) if address else _UNKNOWN
