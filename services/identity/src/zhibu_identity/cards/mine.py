"""The card of a member, from their e-ID: as a picture and as a document to print, both with the signed code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from zhibu_kit.clock import SHANGHAI

from zhibu_identity.cards.drawing import CardText
from zhibu_identity.cards.signed import sign_card_of
from zhibu_identity.eids.records import Eid
from zhibu_identity.parts import Parts


async def print_my_card(parts: Parts, record: Eid, print_card: Callable[[CardText], bytes]) -> bytes:
    """Return what `print_card` makes of a card: a picture or a document.

    Raises:
        ServiceError: NOT_FOUND when the person's data were erased.
    """
    signed = await sign_card_of(parts, record)
    text = CardText(
        real_name=signed.card.real_name,
        eid_number=signed.eid_number,
        county=signed.card.county_name,
        issued_on=f"{signed.eid_issued_at.astimezone(SHANGHAI):%Y-%m-%d}",
        valid_until=f"{signed.card.expires_at.astimezone(SHANGHAI):%Y-%m-%d}",
        code=signed.code,
    )
    # Drawing takes computing, which must not keep other calls waiting.
    return await asyncio.to_thread(print_card, text)
