"""What becomes of the people of a batch: why somebody cannot get an e-ID, and what is cleaned up after those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from zhibu_kit.db import Transaction
from zhibu_kit.scope import Scope

from zhibu_identity.eid_batches.items import Item, ItemState, settle_items
from zhibu_identity.eid_batches.records import Counts, EidBatch, advance_batch
from zhibu_identity.errors import MEMBER_KEY_GONE, PERSON_CHANGED, PERSON_INCOMPLETE
from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.people.records import PersonDetails, PersonRecord
from zhibu_identity.rules.eid_entitlement import is_complete
from zhibu_identity.tasks.queue import NewTask, TaskKind, add_tasks

# People by the machine-readable reason for which they get none; an empty one: they have an e-ID by another way.
Fates = dict[str, list[Item]]


def fault_of(person: PersonRecord | None, details: PersonDetails | None, key: MemberKey | None) -> str | None:
    """Return why a person cannot get an e-ID, None when they can."""
    if person is None or details is None or person.closed:
        return PERSON_CHANGED.reason
    if key is None:
        return MEMBER_KEY_GONE.reason
    complete = is_complete(
        real_name=details.real_name, resident_number=details.resident_number, telephone=details.telephone
    )
    return None if complete else PERSON_INCOMPLETE.reason


async def clean_up(
    transaction: Transaction,
    batch: EidBatch,
    fates: Fates,
    *,
    people: Mapping[str, PersonRecord],
    account_ids: Mapping[int, str],
    now: datetime,
) -> None:
    """Have accounts deleted that were opened and are not needed, and numbers given back of records that ended."""
    unneeded = [item for items in fates.values() for item in items]
    here = [item for item in unneeded if item.member_id in people]
    drops = [
        NewTask(member_id=item.member_id, eid_id=item.eid_id, eid_number=item.eid_number)
        for item in here
        if item.eid_id is not None
    ]
    # Whoever moved to another county took the key along: the account is closed by its own name.
    closes = [
        NewTask(member_id=item.member_id, eid_id=item.eid_id, account_id=account_id)
        for item in unneeded
        if item.member_id not in people and (account_id := account_ids.get(item.position))
    ]
    ended = [NewTask(member_id=item.member_id) for item in here if people[item.member_id].closed]
    for kind, tasks in (
        (TaskKind.DROP_ACCOUNT, drops),
        (TaskKind.CLOSE_ACCOUNT, closes),
        (TaskKind.RELEASE_NUMBERS, ended),
    ):
        await add_tasks(transaction, kind, tasks, county_code=batch.county_code, due_at=now)


async def drop_elsewhere(
    transaction: Transaction, items: Sequence[Item], *, county_codes: Mapping[str, str], now: datetime
) -> None:
    """Have accounts deleted that an attempt may have opened for people who are in other counties (by member) by now.

    Nobody knows the accounts' own names, but what was reserved: the key that opens it went along.
    """
    for item in items:
        county_code = county_codes.get(item.member_id)
        if item.eid_id is not None and county_code is not None:
            await transaction.widen(Scope.of(county_code))
            drop = NewTask(member_id=item.member_id, eid_id=item.eid_id, eid_number=item.eid_number)
            await add_tasks(transaction, TaskKind.DROP_ACCOUNT, [drop], county_code=county_code, due_at=now)


async def settle(
    transaction: Transaction, batch: EidBatch, fates: Fates, *, issued: Sequence[Item], now: datetime
) -> None:
    """Say what became of items; no reason means that they have an e-ID by another way."""
    await settle_items(transaction, batch, issued, ItemState.ISSUED)
    for reason, items in fates.items():
        await settle_items(transaction, batch, items, ItemState.FAILED if reason else ItemState.SKIPPED, reason=reason)
    skipped = len(fates.get("", ()))
    failed = sum(len(items) for items in fates.values()) - skipped
    await advance_batch(transaction, batch, Counts(issued=len(issued), failed=failed, skipped=skipped), now=now)
