"""What a member wants to hear, by kind of notice."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction
from zhibu_kit.errors import ETAG_MISMATCH
from zhibu_kit.etag import check_etag, etag_of

from zhibu_notify.inbox_models import notice_preference
from zhibu_notify.member_rows import act_for
from zhibu_notify.texts import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """How a member wants notices of one kind."""

    kind: Kind
    in_inbox: bool
    by_sms: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """One preference per kind, and their common version."""

    every: tuple[Preference, ...]
    version: int


async def find_preferences(transaction: Transaction, member_id: str) -> Preferences:
    """A member's preferences; everything, for one who has set none."""
    await act_for(transaction, [member_id])
    row = await transaction.one_or_none(select(notice_preference).where(notice_preference.c.member_id == member_id))
    not_in_inbox: Collection[int] = row.not_in_inbox if row else ()
    not_by_sms: Collection[int] = row.not_by_sms if row else ()
    return Preferences(
        every=tuple(
            Preference(kind=kind, in_inbox=kind not in not_in_inbox, by_sms=kind not in not_by_sms) for kind in Kind
        ),
        version=row.version if row else 0,
    )


async def update_preferences(
    transaction: Transaction, member_id: str, *, wanted: Collection[Preference], etag: str, now: datetime
) -> Preferences:
    """Changes the kinds that are named and leaves the others.

    Raises:
        ServiceError: ETAG_MISMATCH when they were changed meanwhile.
    """
    known = await find_preferences(transaction, member_id)
    check_etag(etag, known.version)
    changed = {one.kind: one for one in known.every} | {one.kind: one for one in wanted}
    values = {
        "not_in_inbox": [int(one.kind) for one in changed.values() if not one.in_inbox],
        "not_by_sms": [int(one.kind) for one in changed.values() if not one.by_sms],
        "version": known.version + 1,
        "update_time": now,
    }
    statement = (
        insert(notice_preference)
        .values(member_id=member_id, **values)
        .on_conflict_do_update(
            index_elements=["member_id"], set_=values, where=notice_preference.c.version == known.version
        )
        .returning(notice_preference.c.version)
    )
    # Somebody may have been faster between the reading and this.
    if await transaction.scalar(statement) is None:
        raise ETAG_MISMATCH(etag=etag_of(known.version + 1))
    return Preferences(every=tuple(changed.values()), version=known.version + 1)
