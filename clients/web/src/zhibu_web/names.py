"""Names of members, as far as the person in front of the page may know them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from zhibu_web.contract import Message
from zhibu_web.contract_people import MemberName
from zhibu_web.gateway_client import Gateway

# How many the gateway names in one call.
NAMES_PER_CALL: Final = 200


class _Names(Message):
    names: tuple[MemberName, ...] = ()


async def names_of(gateway: Gateway, member_ids: Iterable[str]) -> dict[str, str]:
    """Return the names by member; those that the caller may not know are left out."""
    wanted = [one for one in dict.fromkeys(member_ids) if one]
    pages = await asyncio.gather(
        *(
            gateway.post("/v1/names:lookUp", _Names, body={"memberIds": wanted[start : start + NAMES_PER_CALL]})
            for start in range(0, len(wanted), NAMES_PER_CALL)
        )
    )
    return {one.member_id: one.real_name for page in pages for one in page.names}
