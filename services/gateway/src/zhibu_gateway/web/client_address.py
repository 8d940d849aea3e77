"""The network address that limits are counted by."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

# A household or an office gets a whole IPv6 network; counting single addresses would count nobody.
_IPV6_PREFIX: Final = 64
_UNKNOWN: Final = "unknown"


def client_address(peer: str | None, forwarded_for: str | None, *, trusted_hops: int) -> str:
    """Gives the client's address, IPv6 as its /64.

    Each proxy of ours appends the address that it saw to X-Forwarded-For, so with `trusted_hops` proxies in front the
    client is that many entries from the end; whatever stands before was written by the client and is not believed.
    """
    address = peer or _UNKNOWN
    if trusted_hops and forwarded_for:
        hops = [hop.strip() for hop in forwarded_for.split(",")]
        address = hops[-min(trusted_hops, len(hops))]
    return _group(address)


def _group(text: str) -> str:
    try:
        address = ip_address(text.strip("[]"))
    except ValueError:
        return _UNKNOWN
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((int(address), _IPV6_PREFIX), strict=False))
    return str(address)
