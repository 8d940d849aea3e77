"""Telephones that were replaced: whoever holds one is told of the change, and a few days later it is forgotten.

A number that somebody else had changed in the record is where a theft of an e-ID shows first.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, select, tuple_
from zhibu_kit.db import Transaction

from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.keys.vault import Vault
from zhibu_identity.models import former_telephone, person
from zhibu_identity.people.records import OPEN_STANDINGS, PersonRecord

# notify tells nothing that is older.
KEEP: Final = timedelta(days=3)
_PLACE: Final = "former_telephone.telephone"


async def keep_former(transaction: Transaction, record: PersonRecord, telephone: str, *, key: MemberKey) -> None:
    """Keep the telephone that this version of the record replaced."""
    await transaction.execute(
        insert(former_telephone).values(
            member_id=record.member_id,
            version=record.version,
            county_code=record.county_code,
            telephone=key.seal(telephone, place=_PLACE),
            replaced_at=record.updated_at,
        )
    )


async def former_telephones_of(
    transaction: Transaction, vault: Vault, changes: Collection[tuple[str, int]]
) -> dict[tuple[str, int], str]:
    """Return the telephones that changes (member and version) replaced; closed records get no messages."""
    rows = await transaction.all(
        select(former_telephone)
        .join(person, person.c.member_id == former_telephone.c.member_id)
        .where(
            tuple_(former_telephone.c.member_id, former_telephone.c.version).in_(changes),
            person.c.standing.in_(OPEN_STANDINGS),
        )
    )
    keys = await vault.keys_in({row.member_id: row.county_code for row in rows})
    return {
        (row.member_id, row.version): keys[row.member_id].open(row.telephone, place=_PLACE)
        for row in rows
        if row.member_id in keys
    }


async def purge_former(transaction: Transaction, *, now: datetime) -> None:
    """Forget those that nobody has to be told at any more."""
    await transaction.execute(delete(former_telephone).where(former_telephone.c.replaced_at < now - KEEP))
