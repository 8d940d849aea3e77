"""Changing a founding that is locked: its counts, its state, and who stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, func, update
from zhibu_kit.db import Transaction
from zhibu_kit.errors import ETAG_MISMATCH, NOT_FOUND, ServiceError
from zhibu_kit.etag import etag_of
from zhibu_kit.prepared import Prepared

from zhibu_branches.foundings import errors
from zhibu_branches.foundings.events import founding_changed
from zhibu_branches.foundings.queries import Founding, cosigners_of, find_founding, founding_from
from zhibu_branches.foundings.tables import founding, founding_cosigner
from zhibu_branches.member_places import show_records
from zhibu_branches.member_queries import Record
from zhibu_branches.rules.foundings import OVER, REQUIRED_FULL_MEMBERS, Signer, State, full_count, standing
from zhibu_branches.rules.members import PartyStatus


async def change(
    transaction: Transaction,
    found: Founding,
    values: dict[str, Any],
    *,
    now: datetime,
    state: State | None = None,
) -> Founding:
    """Changes a founding that the caller has locked, and tells of it."""
    version = found.version + 1
    if state is not None:
        values = {**values, "state": state, "state_version": version}
    values = {**values, "version": version, "update_time": now}
    row = await _change_of(tuple(values)).one_or_none(transaction, of=found.founding_id, **values)
    return await tell(transaction, founding_from(row))


@cache
def _change_of(names: tuple[str, ...]) -> Prepared:
    """Give the statement that sets these columns; there are as many as there are ways to change a founding."""
    return Prepared(
        update(founding)
        .where(founding.c.founding_id == bindparam("of"))
        .values({name: bindparam(name, type_=founding.c[name].type) for name in names})
        .returning(founding)
    )


async def remove_signatures(
    transaction: Transaction, found: Founding, member_ids: Sequence[str], *, now: datetime
) -> Founding:
    """Removes signatures of a founding that the caller has locked; those that are not there change nothing."""
    removed = await transaction.all(
        delete(founding_cosigner)
        .where(
            founding_cosigner.c.founding_id == found.founding_id,
            founding_cosigner.c.member_id == func.any(list(member_ids)),
        )
        .returning(founding_cosigner.c.full_member)
    )
    if not removed:
        return found
    counts = {
        "cosigner_count": found.cosigner_count - len(removed),
        "full_member_count": found.full_member_count - sum(1 for row in removed if row.full_member),
    }
    return await change(transaction, found, counts, now=now)


async def look_again(transaction: Transaction, found: Founding, *, lock: bool = False) -> list[Signer]:
    """Whoever signed, as the member records say now; locked, they stay so until the transaction ends."""
    member_ids = [cosigner.member_id for cosigner in await cosigners_of(transaction, found.founding_id)]
    records = await show_records(transaction, member_ids, lock=lock)
    return [
        Signer(
            member_id=member_id,
            present=member_id in records,
            full_member=member_id in records and is_full(records[member_id]),
        )
        for member_id in member_ids
    ]


async def lock_founding(transaction: Transaction, founding_id: str) -> Founding:
    """The founding, which nobody else changes until the transaction ends; its county must be in the scope.

    Raises:
        ServiceError: NOT_FOUND.
    """
    found = await find_founding(transaction, founding_id, lock=True)
    if found is None:
        raise NOT_FOUND(noun="founding")
    return found


def check_founding_etag(given: str, found: Founding) -> None:
    """Refuses what was decided before the present state began. Signatures that came in meanwhile are no conflict.

    Raises:
        ServiceError: ETAG_MISMATCH.
    """
    if given not in {etag_of(version) for version in range(found.state_version, found.version + 1)}:
        raise ETAG_MISMATCH(etag=etag_of(found.version))


def full_members_missing(signers: Sequence[Signer]) -> ServiceError:
    """The refusal that says how many full members there are, and how many are wanted."""
    return errors.FULL_MEMBERS_MISSING(count=str(full_count(signers)), required=str(REQUIRED_FULL_MEMBERS))


async def settle(transaction: Transaction, found: Founding, signers: Sequence[Signer]) -> dict[str, Any]:
    """Writes down whose signature counts, and drops those that lapsed; returns the counts."""
    present, lapsed = standing(signers)
    of_founding = founding_cosigner.c.founding_id == found.founding_id
    full = [signer.member_id for signer in present if signer.full_member]
    await transaction.execute(
        delete(founding_cosigner).where(
            of_founding, founding_cosigner.c.member_id == func.any([signer.member_id for signer in lapsed])
        )
    )
    await transaction.execute(
        update(founding_cosigner).where(of_founding).values(full_member=founding_cosigner.c.member_id == func.any(full))
    )
    return {"cosigner_count": len(present), "full_member_count": len(full)}


async def tell(transaction: Transaction, found: Founding) -> Founding:
    """Tell the other services of a founding that the caller has just written; it is given back."""
    cosigners = await cosigners_of(transaction, found.founding_id) if found.state in OVER else []
    event = founding_changed(found, [cosigner.member_id for cosigner in cosigners])
    transaction.emit(event, county_code=found.county_code)
    return found


def is_full(record: Record) -> bool:
    """Only a full member's signature counts; one under probation may neither vote nor be elected."""
    return record.status is PartyStatus.FULL
