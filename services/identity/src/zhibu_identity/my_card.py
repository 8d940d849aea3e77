"""The card of a member, from their e-ID."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from zhibu_kit.clock import SHANGHAI
from zhibu_kit.errors import NOT_FOUND
from zhibu_kit.scope import Scope

from zhibu_identity.card import CardText
from zhibu_identity.eids import NOUN, Eid, open_holder
from zhibu_identity.organisations import find_organisation
from zhibu_identity.parts import Parts


async def print_my_card(parts: Parts, record: Eid, print_card: Callable[[CardText], bytes]) -> bytes:
    """Return the picture of a card.

    Raises:
        ServiceError: NOT_FOUND when the person's data were erased.
    """
    key = await parts.vault.find_member_key(record.member_id, record.county_code)
    if key is None:
        raise NOT_FOUND(noun=NOUN)
    async with parts.database.transaction(Scope.of(record.county_code)) as transaction:
        organisation = await find_organisation(transaction, record.organisation_id)
    holder = open_holder(record, key)
    text = CardText(
        real_name=holder.real_name,
        eid_number=holder.eid_number,
        county=organisation.name if organisation else record.organisation_id,
        issued_on=f"{record.issued_at.astimezone(SHANGHAI):%Y-%m-%d}",
    )
    # Drawing takes computing, which must not keep other calls waiting.
    return await asyncio.to_thread(print_card, text)
