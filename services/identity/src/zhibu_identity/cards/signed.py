"""Signed cards: one for each e-ID at a time, made anew when what it says changes, published as revoked with the e-ID."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_card.code import CARD_ID_BYTES, Card, sign_card
from zhibu_kit.db import Database, Role, Transaction
from zhibu_kit.errors import NOT_FOUND
from zhibu_kit.scope import Scope

from zhibu_identity.eids.records import NOUN, Eid, EidState, find_eid, open_holder
from zhibu_identity.keys.signing import CARDS_GOOD_FOR, Signer
from zhibu_identity.organisations import find_organisation
from zhibu_identity.parts import Parts
from zhibu_identity.signing_models import card, card_revocation

# Who asks for a card that is about to expire gets a new one; the old one stays good to its end.
RENEWED_BEFORE: Final = timedelta(days=60)
NUMBER_END_LENGTH: Final = 4
# Digests in one answer: with their names in JSON about 700 KB.
MOST_DIGESTS: Final = 10_000
# A revocation is committed within this of the instant that it bears; a list is complete up to so long ago.
COMMITTED_WITHIN: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCard:
    """A card with its code, and what is printed beside it."""

    card: Card
    code: str
    eid_number: str
    eid_issued_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedCards:
    """A page of digests of revoked cards; `next_since` is set when more follow."""

    digests: list[str]
    as_of: datetime
    next_since: datetime | None


async def sign_card_of(parts: Parts, record: Eid) -> SignedCard:
    """Return the signed card of a living e-ID; the same one until what it says changes or its time runs out.

    Raises:
        ServiceError: NOT_FOUND when it was revoked meanwhile, or the person's data were erased.
    """
    key = await parts.vault.find_member_key(record.member_id, record.county_code)
    if key is None:
        raise NOT_FOUND(noun=NOUN)
    holder = open_holder(record, key)
    now = parts.clock.now()
    signer = await parts.vault.signing.card_signer(now=now)
    async with parts.database.transaction(Scope.of(record.county_code)) as transaction:
        # Locked: a revocation that comes at the same time finds the card that is made here, or we find it revoked.
        living = await find_eid(transaction, record.eid_id, lock=True)
        if living is None or living.state is EidState.REVOKED:
            raise NOT_FOUND(noun=NOUN)
        organisation = await find_organisation(transaction, record.organisation_id)
        county_name = organisation.name if organisation else record.organisation_id
        content = f"{holder.real_name}\0{record.county_code}\0{county_name}\0{holder.eid_number}"
        row = await _current_row(
            transaction, record, signer=signer, content_digest=parts.province.digest("card", content), now=now
        )
    signed = Card(
        card_id=row.card_id,
        real_name=holder.real_name,
        county_code=record.county_code,
        county_name=county_name,
        number_end=holder.eid_number[-NUMBER_END_LENGTH:],
        issued_at=row.issued_at,
        expires_at=row.expires_at,
    )
    code = sign_card(signed, key_id=signer.key_id, key=signer.key)
    return SignedCard(card=signed, code=code, eid_number=holder.eid_number, eid_issued_at=record.issued_at)


async def revoke_cards(transaction: Transaction, eid_id: str, *, now: datetime) -> None:
    """Publish every card of an e-ID that has not expired as revoked."""
    await _revoke(transaction, and_(card.c.eid_id == eid_id, card.c.expires_at > now), now=now)


async def list_revoked_cards(database: Database, *, since: datetime | None, now: datetime) -> RevokedCards:
    """Return digests of revoked cards that have not expired, oldest revocation first."""
    table = card_revocation
    statement = select(table).where(table.c.expires_at > now).order_by(table.c.revoked_at, table.c.card_digest)
    if since is not None:
        statement = statement.where(table.c.revoked_at >= since)
    async with database.transaction(Scope.none()) as transaction:
        rows = await transaction.all(statement.limit(MOST_DIGESTS + 1))
    shown = rows[:MOST_DIGESTS]
    last: datetime | None = shown[-1].revoked_at.astimezone(UTC) if len(rows) > MOST_DIGESTS else None
    return RevokedCards(digests=[row.card_digest.hex() for row in shown], as_of=now - COMMITTED_WITHIN, next_since=last)


async def purge_cards(database: Database, *, now: datetime) -> None:
    """Forget cards that have expired, and that they were revoked."""
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        await transaction.execute(delete(card).where(card.c.expires_at <= now))
        await transaction.execute(delete(card_revocation).where(card_revocation.c.expires_at <= now))


async def _current_row(
    transaction: Transaction, record: Eid, *, signer: Signer, content_digest: bytes, now: datetime
) -> Row[Any]:
    """Return the card that the holder gets now, which may have to be made."""
    current = select(card).where(card.c.eid_id == record.eid_id, card.c.is_current).with_for_update()
    found = await transaction.one_or_none(current)
    if found is not None:
        same = found.content_digest == content_digest and found.key_id == signer.key_id
        if same and found.expires_at - now > RENEWED_BEFORE:
            return found
        await transaction.execute(update(card).where(card.c.card_id == found.card_id).values(is_current=False))
        if found.content_digest != content_digest:
            # What it says is no longer so.
            await _revoke(transaction, card.c.card_id == found.card_id, now=now)
    # Codes carry whole seconds.
    issued_at = now.replace(microsecond=0)
    await transaction.execute(
        insert(card)
        .values(
            card_id=os.urandom(CARD_ID_BYTES),
            county_code=record.county_code,
            eid_id=record.eid_id,
            member_id=record.member_id,
            key_id=signer.key_id,
            content_digest=content_digest,
            is_current=True,
            issued_at=issued_at,
            expires_at=min(issued_at + CARDS_GOOD_FOR, signer.not_after),
        )
        # Two screens asked at once: both get the card of the first.
        .on_conflict_do_nothing(index_elements=["eid_id"], index_where=card.c.is_current)
    )
    return await transaction.one(current)


async def _revoke(transaction: Transaction, which: ColumnElement[bool], *, now: datetime) -> None:
    rows = await transaction.all(
        update(card)
        .where(which, card.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(card.c.card_id, card.c.expires_at)
    )
    if rows:
        await transaction.execute(
            insert(card_revocation)
            .values(
                [
                    {
                        "card_digest": hashlib.sha256(row.card_id).digest(),
                        "revoked_at": now,
                        "expires_at": row.expires_at,
                    }
                    for row in rows
                ]
            )
            .on_conflict_do_nothing()
        )
