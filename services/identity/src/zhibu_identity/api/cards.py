"""CardService: the holder's signed card, and what those need who check cards without a network."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime

from google.api import httpbody_pb2
from zhibu.identity.v1 import card_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.errors import NOT_FOUND, field_error

from zhibu_identity.cards.drawing import CardText
from zhibu_identity.cards.mine import print_my_card
from zhibu_identity.cards.signed import list_revoked_cards, sign_card_of
from zhibu_identity.eids import records as eids
from zhibu_identity.eids.records import Eid, find_living_eid
from zhibu_identity.errors import SINCE_UNREADABLE
from zhibu_identity.events import timestamp
from zhibu_identity.parts import Parts


class CardApi:
    """The RPCs of CardService."""

    def __init__(self, parts: Parts, print_sheet: Callable[[CardText], bytes]) -> None:
        """Work with these parts; `print_sheet` makes the document."""
        self._parts = parts
        self._print_sheet = print_sheet

    async def GetMySignedCard(self, request: pb.GetMySignedCardRequest, call: Call) -> httpbody_pb2.HttpBody:
        """Make the document with the caller's card."""
        record = await self._mine(call)
        document = await print_my_card(self._parts, record, self._print_sheet)
        async with self._parts.database.read(call, request) as read:
            return read.reply(
                httpbody_pb2.HttpBody(content_type="application/pdf", data=document), subjects=[record.member_id]
            )

    async def GetMyCardCode(self, request: pb.GetMyCardCodeRequest, call: Call) -> pb.GetMyCardCodeResponse:
        """Give the code of the caller's card."""
        signed = await sign_card_of(self._parts, await self._mine(call))
        return pb.GetMyCardCodeResponse(card_code=signed.code, expire_time=timestamp(signed.card.expires_at))

    async def ListCardKeys(self, request: pb.ListCardKeysRequest, call: Call) -> pb.ListCardKeysResponse:
        """Show the public keys of cards."""
        keys = await self._parts.vault.signing.list_card_keys(now=self._parts.clock.now())
        return pb.ListCardKeysResponse(
            keys=[
                pb.CardKey(
                    key_id=key.key_id,
                    algorithm="EdDSA",
                    curve="Ed25519",
                    public_key=base64.urlsafe_b64encode(key.public).decode().rstrip("="),
                    not_before_time=timestamp(key.not_before),
                    not_after_time=timestamp(key.not_after),
                )
                for key in keys
            ]
        )

    async def ListRevokedCards(self, request: pb.ListRevokedCardsRequest, call: Call) -> pb.ListRevokedCardsResponse:
        """Show digests of revoked cards."""
        revoked = await list_revoked_cards(
            self._parts.database, since=_instant(request.since_time), now=self._parts.clock.now()
        )
        return pb.ListRevokedCardsResponse(
            revoked_card_digests=revoked.digests,
            as_of_time=timestamp(revoked.as_of),
            next_since_time=revoked.next_since.isoformat().replace("+00:00", "Z") if revoked.next_since else "",
        )

    async def _mine(self, call: Call) -> Eid:
        """Return the e-ID behind the caller's account.

        Raises:
            ServiceError: NOT_FOUND when the account belongs to no living e-ID.
        """
        member_id = call.caller.member_id
        async with self._parts.database.transaction(call.scope) as transaction:
            record = await find_living_eid(transaction, member_id) if member_id else None
        if record is None or record.account_id != call.caller.account_id:
            raise NOT_FOUND(noun=eids.NOUN)
        return record


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise field_error("since_time", SINCE_UNREADABLE) from None
    if instant.tzinfo is None:
        raise field_error("since_time", SINCE_UNREADABLE)
    return instant
