"""Erasure: a person's key is destroyed, and with it everything that was sealed with it, wherever it is copied to.

The list of erasures stands in the other database, so that it is applied again when the key database was restored from a
backup that is older than the erasure.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from sqlalchemy import Exists, select, union_all
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.audit_subjects import forget_subject
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database, Role
from zhibu_kit.scope import Scope

from zhibu_identity.keys.vault import Vault
from zhibu_identity.models import application, erasure, person
from zhibu_identity.parts import Parts
from zhibu_identity.rosters.models import roster, roster_row
from zhibu_identity.rosters.records import RosterState

log = logging.getLogger("zhibu.identity.erasure")

# An application is committed within seconds of its key, or never.
UNCONFIRMED_AFTER: Final = timedelta(hours=1)
PER_RUN: Final = 500


async def erase_person(database: Database, vault: Vault, clock: Clock, *, member_id: str, county_code: str) -> bool:
    """Destroy a person's key; say whether there was one."""
    async with database.transaction(Scope.of(county_code)) as transaction:
        await transaction.execute(
            insert(erasure)
            .values(member_id=member_id, county_code=county_code, erased_at=clock.now())
            .on_conflict_do_nothing()
        )
        await forget_subject(transaction, member_id)
    return await vault.erase(member_id)


async def apply_erasures(parts: Parts) -> int:
    """Erase again whoever was erased, in case the key database was restored; return how many keys had come back."""
    after, found = "", 0
    while True:
        async with parts.database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            rows = await transaction.all(
                select(erasure.c.member_id)
                .where(erasure.c.member_id > after)
                .order_by(erasure.c.member_id)
                .limit(PER_RUN)
            )
        for row in rows:
            if await parts.vault.erase(row.member_id):
                found += 1
        if len(rows) < PER_RUN:
            break
        after = rows[-1].member_id
    if found:
        log.warning("Keys of erased people had come back and were erased again", extra={"fields": {"count": found}})
    return found


async def sweep_unconfirmed(parts: Parts) -> int:
    """Confirm keys whose application or person is there, and destroy those whose row was never committed.

    What a roster that is being committed has sealed already waits for its commit, however long that takes.
    """
    swept = 0
    made_before = parts.clock.now() - UNCONFIRMED_AFTER
    for member_id, county_code in await parts.vault.list_unconfirmed(made_before=made_before, most=PER_RUN):
        async with parts.database.transaction(Scope.of(county_code)) as transaction:
            # One look at all of them: between two, the commit could take a person out of the one and into the other.
            found = await transaction.one(
                select(_is_known(member_id).label("known"), _is_staged(member_id).label("staged"))
            )
        if found.known:
            await parts.vault.confirm(member_id, county_code)
        elif not found.staged:
            await parts.vault.erase(member_id)
            swept += 1
    return swept


def _is_known(member_id: str) -> Exists:
    # A roster's own key stands beside those of people.
    return union_all(
        select(application.c.member_id).where(application.c.member_id == member_id),
        select(person.c.member_id).where(person.c.member_id == member_id),
        select(roster.c.roster_id).where(roster.c.roster_id == member_id),
    ).exists()


def _is_staged(member_id: str) -> Exists:
    committing = select(roster.c.roster_id).where(roster.c.state == int(RosterState.COMMITTING))
    return (
        select(roster_row.c.member_id)
        .where(roster_row.c.roster_id.in_(committing), roster_row.c.member_id == member_id)
        .exists()
    )
