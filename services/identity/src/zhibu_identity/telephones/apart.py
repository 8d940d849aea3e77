"""People whose record and e-ID name different telephones, as rosters left them in release 0.2: found, not changed.

Codes go to the one, notices to the other; which is right only the member knows, and an officer enters it (`change_telephone`).
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from zhibu_kit.db import Database, Role
from zhibu_kit.scope import Scope

from zhibu_identity.eids.records import EidState, open_holder
from zhibu_identity.eids.records import record_of as eid_of
from zhibu_identity.keys.vault import Vault
from zhibu_identity.models import eid, person
from zhibu_identity.people.records import open_details

PER_STEP: Final = 500
# More are a county that nobody corrected for years; those that were mended make room.
MOST_TOLD: Final = 10_000


async def find_apart(database: Database, vault: Vault) -> list[tuple[str, str]]:
    """Return county and member of those whose telephones differ, by member, at most MOST_TOLD."""
    found: list[tuple[str, str]] = []
    after = ""
    while len(found) < MOST_TOLD:
        async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            rows = await transaction.all(
                select(eid, person.c.details)
                .join(person, person.c.member_id == eid.c.member_id)
                .where(eid.c.state != int(EidState.REVOKED), eid.c.member_id > after)
                .order_by(eid.c.member_id)
                .limit(PER_STEP)
            )
        if not rows:
            break
        after = rows[-1].member_id
        keys = await vault.keys_in({row.member_id: row.county_code for row in rows})
        for row in rows:
            key = keys.get(row.member_id)
            telephone = open_holder(eid_of(row[: len(eid.c)]), key).telephone
            if telephone != open_details(row.details, key).telephone:
                found.append((row.county_code, row.member_id))
    return found[:MOST_TOLD]
