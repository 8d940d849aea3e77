"""Issuing e-IDs to a part of a batch, some fifty people at once: numbers, seeds, accounts, records.

Cut off anywhere, it is done again from the beginning and ends with one account and one e-ID for each: what a person gets
is reserved before Keycloak is asked, Keycloak's part can be repeated, and the record says last what became of them. No
transaction is open while Keycloak works.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import pyotp
from zhibu_kit.db import Transaction
from zhibu_kit.ids import new_ulid

from zhibu_identity.eid_batches.fates import Fates, clean_up, drop_elsewhere, fault_of, settle
from zhibu_identity.eid_batches.items import Item, load_items, reserve_eids
from zhibu_identity.eid_batches.records import EidBatch
from zhibu_identity.eids.accounts import NewAccount
from zhibu_identity.eids.issuing import SEED_LENGTH
from zhibu_identity.eids.records import Eid, EidState, RevocationReason, find_holders, insert_eids
from zhibu_identity.errors import (
    ACCOUNT_FOREIGN,
    NUMBER_HAS_EID,
    PERSON_CHANGED,
)
from zhibu_identity.grants.post_offices import give_offices
from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.organisations import area_of
from zhibu_identity.parts import Parts
from zhibu_identity.people.records import PersonDetails, PersonRecord, find_counties, find_people, open_details
from zhibu_identity.rules.numbers import eid_number_of
from zhibu_identity.sequences import SequenceKind, take_from_sequence

# A part that takes longer than this hangs.
PART_TIMEOUT_S: Final = 60.0
_NUMBER_PLACE = "eid.eid_number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """An item with everything that its account needs."""

    item: Item
    key: MemberKey
    eid_id: str
    eid_number: str


async def issue_part(parts: Parts, batch: EidBatch, positions: Sequence[int]) -> None:
    """Issue e-IDs to those of a part who still wait, and say of each what became of them.

    Raises:
        AccountRefusedError: when Keycloak refuses somebody's account; the others may be open by then.
        AccountsError: when Keycloak does not do it now.
        ServiceError: when a database does not.
        LeaseLostError: when somebody else works on the batch by now.
        TimeoutError: when it takes too long.
    """
    async with asyncio.timeout(PART_TIMEOUT_S):
        await _issue(parts, batch, positions)


async def _issue(parts: Parts, batch: EidBatch, positions: Sequence[int]) -> None:
    reserved = await _reserve(parts, batch, positions)
    parts.reached("numbers reserved")
    if not reserved:
        return
    seeds = await parts.vault.ensure_seeds(
        {one.eid_id: one.key for one in reserved},
        county_code=batch.county_code,
        proposed={one.eid_id: pyotp.random_base32(SEED_LENGTH) for one in reserved},
    )
    await parts.vault.search.add_eid_terms(batch.county_code, {one.key.member_id: one.eid_number for one in reserved})
    parts.reached("seeds kept")
    opened = await parts.accounts.open_many(
        [
            NewAccount(
                eid_number=one.eid_number,
                member_id=one.key.member_id,
                county_code=batch.county_code,
                totp_seed=seeds[one.eid_id],
            )
            for one in reserved
        ]
    )
    parts.reached("accounts opened")
    await _finish(parts, batch, {one.item.position: one for one in reserved}, opened)
    parts.reached("e-IDs committed")


async def _reserve(parts: Parts, batch: EidBatch, positions: Sequence[int]) -> list[Reserved]:
    """Give identifiers and numbers, once: an attempt that follows finds them. Whoever cannot get one is settled."""
    async with parts.database.transaction(batch.scope) as transaction:
        items = await load_items(transaction, batch, positions)
        people = await find_people(transaction, [item.member_id for item in items])
    keys = await parts.vault.member_keys(people, batch.county_code)
    details = {member_id: open_details(one.details, keys.get(member_id)) for member_id, one in people.items()}
    fit = {
        member_id: details[member_id].resident_number
        for member_id, one in people.items()
        if fault_of(one, details[member_id], keys.get(member_id)) is None
    }
    held = await parts.vault.numbers.hold_many(fit)
    parts.reached("numbers held")
    moved = [item.member_id for item in items if item.eid_id is not None and item.member_id not in people]
    elsewhere = await find_counties(parts.database, moved)
    now = parts.clock.now()
    async with parts.database.transaction(batch.scope) as transaction:
        items = await load_items(transaction, batch, positions, lock=True)
        holders = await find_holders(transaction, [item.member_id for item in items])
        fates: Fates = {}
        going_on: list[Item] = []
        for item in items:
            member_id = item.member_id
            if member_id in holders:
                fates.setdefault("", []).append(item)
            elif member_id in held:
                going_on.append(item)
            else:
                reason = fault_of(people.get(member_id), details.get(member_id), keys.get(member_id))
                fates.setdefault(reason or NUMBER_HAS_EID.reason, []).append(item)
        reserved = await _give_numbers(transaction, parts, batch, going_on, keys=keys, now=now)
        # An attempt that was cut off may have opened accounts.
        await clean_up(transaction, batch, fates, people=people, account_ids={}, now=now)
        await drop_elsewhere(transaction, items, county_codes=elsewhere, now=now)
        await settle(transaction, batch, fates, issued=(), now=now)
        parts.reached("numbers reserved, not committed")
    return reserved


async def _give_numbers(
    transaction: Transaction,
    parts: Parts,
    batch: EidBatch,
    items: Sequence[Item],
    *,
    keys: Mapping[str, MemberKey],
    now: datetime,
) -> list[Reserved]:
    new = [item for item in items if item.eid_number is None]
    numbers: dict[int, str] = {}
    if new:
        year, sequence = await take_from_sequence(
            transaction, batch.county_code, SequenceKind.EID, count=len(new), now=now
        )
        area = area_of(batch.county_code)
        numbers = {item.position: eid_number_of(area, year, sequence=sequence + at) for at, item in enumerate(new)}
        given = [
            replace(
                item,
                eid_id=new_ulid(parts.clock),
                eid_number=keys[item.member_id].seal(numbers[item.position], place=_NUMBER_PLACE),
            )
            for item in new
        ]
        await reserve_eids(transaction, batch, given)
        items = sorted([*(item for item in items if item.eid_number is not None), *given], key=lambda one: one.position)
    return [_reserved(item, keys[item.member_id], numbers.get(item.position)) for item in items]


def _reserved(item: Item, key: MemberKey, eid_number: str | None) -> Reserved:
    assert item.eid_id is not None, "reserved"
    assert item.eid_number is not None, "reserved"
    return Reserved(
        item=item,
        key=key,
        eid_id=item.eid_id,
        eid_number=eid_number or key.open(item.eid_number, place=_NUMBER_PLACE),
    )


async def _finish(parts: Parts, batch: EidBatch, reserved: Mapping[int, Reserved], opened: Mapping[str, str]) -> None:
    """Store the e-IDs with their events, the offices that follow, and what became of each person."""
    now = parts.clock.now()
    async with parts.database.transaction(batch.scope) as transaction:
        items = await load_items(transaction, batch, list(reserved), lock=True)
        people = await find_people(transaction, [item.member_id for item in items], lock=True)
        fates: Fates = {}
        eids: dict[str, Eid] = {}
        for item in items:
            one = reserved[item.position]
            person = people.get(item.member_id)
            details = open_details(person.details, one.key) if person else None
            fault = fault_of(person, details, one.key)
            if fault is None and one.eid_number not in opened:
                fault = ACCOUNT_FOREIGN.reason
            if fault is not None or person is None or details is None:
                fates.setdefault(fault or PERSON_CHANGED.reason, []).append(item)
            else:
                eids[item.member_id] = _record(batch, one, person, details, account_id=opened[one.eid_number], now=now)
        stored = await insert_eids(transaction, list(eids.values()))
        await give_offices(transaction, stored, now=now)
        fates.setdefault("", []).extend(
            item for item in items if item.member_id in eids and item.member_id not in stored
        )
        account_ids = {position: opened.get(one.eid_number, "") for position, one in reserved.items()}
        await clean_up(transaction, batch, fates, people=people, account_ids=account_ids, now=now)
        await settle(transaction, batch, fates, issued=[item for item in items if item.member_id in stored], now=now)
        parts.reached("e-IDs stored, not committed")


def _record(
    batch: EidBatch,
    one: Reserved,
    person: PersonRecord,
    details: PersonDetails,
    *,
    account_id: str,
    now: datetime,
) -> Eid:
    key = one.key
    return Eid(
        eid_id=one.eid_id,
        county_code=batch.county_code,
        # The county's, whichever organisation began the batch: it looks after its e-IDs.
        organisation_id=batch.county_code,
        member_id=person.member_id,
        application_id=None,
        account_id=account_id,
        eid_number=key.seal(one.eid_number, place=_NUMBER_PLACE),
        real_name=key.seal(details.real_name, place="eid.real_name"),
        resident_number=key.seal(details.resident_number, place="eid.resident_number"),
        telephone=key.seal(details.telephone, place="eid.telephone"),
        branch_id=person.branch_id,
        state=EidState.ISSUED,
        issued_at=now,
        activated_at=None,
        activation_expires_at=None,
        revoked_at=None,
        revocation_reason=RevocationReason.NONE,
        revocation_note=None,
        version=1,
    )
