"""Reading foundings. Proposals are published to members of every county; who signed is shown county by county."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, bindparam, func, select
from zhibu_kit.db import Transaction
from zhibu_kit.prepared import Prepared

from zhibu_branches.foundings.tables import founding, founding_cosigner
from zhibu_branches.models import organisation
from zhibu_branches.rules.foundings import OPEN, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """A founding as it stands now."""

    founding_id: str
    county_code: str
    organisation_id: str
    name: str
    kind: str
    purpose: str
    initiator_member_id: str
    state: State
    cosigner_count: int
    full_member_count: int
    branch_id: str | None
    refusal_note: str
    expire_time: datetime
    version: int
    state_version: int
    create_time: datetime
    update_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigner:
    """A signature."""

    member_id: str
    full_member: bool
    sign_time: datetime


async def find_founding(transaction: Transaction, founding_id: str, *, lock: bool = False) -> Founding | None:
    """A founding of any county; to be locked, its county must be in the scope."""
    row = await (_LOCKED_FOUNDING if lock else _FOUNDING).one_or_none(transaction, founding_id=founding_id)
    return None if row is None else founding_from(row)


_BY_ID = select(founding).where(founding.c.founding_id == bindparam("founding_id"))
_FOUNDING: Final = Prepared(_BY_ID)
_LOCKED_FOUNDING: Final = Prepared(_BY_ID.with_for_update())


async def cosigners_of(transaction: Transaction, founding_id: str) -> list[Cosigner]:
    """Who signed, the first one first."""
    rows = await transaction.all(
        select(founding_cosigner)
        .where(founding_cosigner.c.founding_id == founding_id)
        .order_by(founding_cosigner.c.sign_time, founding_cosigner.c.member_id)
    )
    return [Cosigner(member_id=row.member_id, full_member=row.full_member, sign_time=row.sign_time) for row in rows]


async def signed_by(transaction: Transaction, member_id: str, founding_ids: Sequence[str]) -> frozenset[str]:
    """Which of these foundings the member signed."""
    rows = await transaction.all(
        select(founding_cosigner.c.founding_id).where(
            founding_cosigner.c.member_id == member_id, founding_cosigner.c.founding_id == func.any(list(founding_ids))
        )
    )
    return frozenset(row.founding_id for row in rows)


async def list_collecting(
    transaction: Transaction, *, county_code: str, now: datetime, before: str | None, count_max: int
) -> list[Founding]:
    """The foundings of a county that collect signatures, newest first, older than the given one."""
    return await _newest_first(
        transaction,
        (founding.c.county_code == county_code, founding.c.state == State.COLLECTING, founding.c.expire_time > now),
        before=before,
        count_max=count_max,
    )


async def list_of_member(
    transaction: Transaction, *, member_id: str, before: str | None, count_max: int
) -> list[Founding]:
    """The foundings that a member proposed or signed, newest first; signatures as far as the scope shows them."""
    signed = select(founding_cosigner.c.founding_id).where(founding_cosigner.c.member_id == member_id)
    return await _newest_first(transaction, (founding.c.founding_id.in_(signed),), before=before, count_max=count_max)


async def list_below(
    transaction: Transaction,
    *,
    organisation_id: str,
    states: Collection[State],
    after: str | None,
    count_max: int,
) -> list[Founding]:
    """The foundings at an organisation and below it, oldest first, after the given one."""
    statement = select(founding).where(*_below(organisation_id, states))
    if after is not None:
        statement = statement.where(founding.c.founding_id > after)
    return [
        founding_from(row) for row in await transaction.all(statement.order_by(founding.c.founding_id).limit(count_max))
    ]


async def count_below(transaction: Transaction, *, organisation_id: str, states: Collection[State]) -> int:
    """How many foundings there are at an organisation and below it."""
    return await transaction.scalar(select(func.count()).select_from(founding).where(*_below(organisation_id, states)))


async def stands_below(transaction: Transaction, found: Founding, organisation_id: str) -> bool:
    """Tells whether a founding is to stand at this organisation or below it."""
    if found.organisation_id == organisation_id:
        return True
    ancestors = await transaction.scalar(
        select(organisation.c.ancestor_ids).where(organisation.c.organisation_id == found.organisation_id)
    )
    return organisation_id in (ancestors or ())


async def count_open_of(transaction: Transaction, initiator_member_id: str) -> int:
    """How many foundings of a member are open, in every county."""
    return await transaction.scalar(
        select(func.count())
        .select_from(founding)
        .where(
            founding.c.initiator_member_id == initiator_member_id,
            founding.c.state.in_(OPEN),
        )
    )


async def _newest_first(
    transaction: Transaction, conditions: Sequence[ColumnElement[bool]], *, before: str | None, count_max: int
) -> list[Founding]:
    statement = select(founding).where(*conditions)
    if before is not None:
        statement = statement.where(founding.c.founding_id < before)
    rows = await transaction.all(statement.order_by(founding.c.founding_id.desc()).limit(count_max))
    return [founding_from(row) for row in rows]


def _below(organisation_id: str, states: Collection[State]) -> tuple[ColumnElement[bool], ...]:
    below = select(organisation.c.organisation_id).where(
        (organisation.c.organisation_id == organisation_id) | organisation.c.ancestor_ids.contains([organisation_id])
    )
    return founding.c.organisation_id.in_(below), founding.c.state.in_(sorted(states))


def founding_from(row: Row[Any]) -> Founding:
    """The founding of a row."""
    return Founding(
        founding_id=row.founding_id,
        county_code=row.county_code,
        organisation_id=row.organisation_id,
        name=row.name,
        kind=row.kind,
        purpose=row.purpose,
        initiator_member_id=row.initiator_member_id,
        state=State(row.state),
        cosigner_count=row.cosigner_count,
        full_member_count=row.full_member_count,
        branch_id=row.branch_id,
        refusal_note=row.refusal_note,
        expire_time=row.expire_time,
        version=row.version,
        state_version=row.state_version,
        create_time=row.create_time,
        update_time=row.update_time,
    )
