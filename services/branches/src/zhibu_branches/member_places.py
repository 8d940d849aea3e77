"""Records wherever they lie: work in one county that needs to know how members of others stand."""

from __future__ import annotations

from collections.abc import Sequence

from zhibu_kit.db import Transaction

from zhibu_branches.foundings.errors import MEMBER_RECORD_REQUIRED
from zhibu_branches.member_queries import Record, record_of, records_of
from zhibu_branches.rules.members import Standing


async def show_records(transaction: Transaction, member_ids: Sequence[str], *, lock: bool = False) -> dict[str, Record]:
    """The open records of these members, whatever county they lie in; the scope shows those counties from now on.

    Locked, they are taken in the order of the members, and none of them changes until the transaction ends.
    """
    await _widen_to(transaction, member_ids)
    found = await records_of(transaction, sorted(member_ids), lock=lock)
    return {member_id: record for member_id, record in found.items() if record.standing is Standing.PRESENT}


async def own_record(transaction: Transaction, member_id: str | None, *, lock: bool = True) -> Record:
    """The open record of whoever calls; the scope shows its county from now on.

    The county in the token may be an old one: people move while they are logged in.

    Raises:
        ServiceError: MEMBER_RECORD_REQUIRED.
    """
    if not member_id:
        raise MEMBER_RECORD_REQUIRED()
    await _widen_to(transaction, [member_id])
    return await present_record(transaction, member_id, lock=lock)


async def present_record(transaction: Transaction, member_id: str, *, lock: bool = True) -> Record:
    """The open record of a member whose county the scope shows.

    Raises:
        ServiceError: MEMBER_RECORD_REQUIRED.
    """
    record = await record_of(transaction, member_id, lock=lock)
    if record is None or record.standing is not Standing.PRESENT:
        raise MEMBER_RECORD_REQUIRED()
    return record


async def _widen_to(transaction: Transaction, member_ids: Sequence[str]) -> None:
    await transaction.widen_to("(select array_agg(county_code) from physical_places($1))", list(member_ids))
