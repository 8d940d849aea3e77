"""Whom a batch of e-IDs would be about: people of an organisation, with what they have and what their status gives them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Subquery, func, select
from zhibu_kit.db import Transaction

from zhibu_identity.eids.records import EidState
from zhibu_identity.models import eid, person
from zhibu_identity.people.reach import Reach
from zhibu_identity.people.records import OPEN_STANDINGS
from zhibu_identity.rosters.models import eid_batch, roster_fact
from zhibu_identity.rules.eid_entitlement import ENTITLING_STATUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a batch would do that were started now."""

    entitled_count: int
    holder_count: int
    revoked_count: int
    status_unknown_count: int
    running_eid_batch_id: str


async def preview_batch(transaction: Transaction, reach: Reach, *, organisation_id: str) -> Preview:
    """Count whom a batch would be about."""
    people = candidates_of(reach)
    counts = await transaction.one(
        select(
            func.count().filter(people.c.entitled, people.c.eids == 0).label("entitled"),
            func.count().filter(people.c.living > 0).label("holders"),
            func.count().filter(people.c.living == 0, people.c.eids > 0).label("revoked"),
            func.count().filter(~people.c.entitled, people.c.eids == 0).label("unknown"),
        ).select_from(people)
    )
    running = await transaction.scalar(
        select(eid_batch.c.eid_batch_id).where(
            eid_batch.c.organisation_id == organisation_id, eid_batch.c.finished_at.is_(None)
        )
    )
    return Preview(
        entitled_count=counts.entitled,
        holder_count=counts.holders,
        revoked_count=counts.revoked,
        status_unknown_count=counts.unknown,
        running_eid_batch_id=running or "",
    )


def candidates_of(reach: Reach) -> Subquery:
    """Return open records of the reach, of its county alone: with how many e-IDs, and whether the status entitles."""
    had = (
        select(
            eid.c.member_id,
            func.count().label("eids"),
            func.count().filter(eid.c.state != int(EidState.REVOKED)).label("living"),
        )
        .where(eid.c.county_code == reach.county_code)
        .group_by(eid.c.member_id)
        .subquery("had")
    )
    # Until branches has told, what the roster says counts.
    status = func.coalesce(func.nullif(person.c.party_status, 0), roster_fact.c.status, 0)
    return (
        select(
            person.c.member_id,
            person.c.county_code,
            person.c.branch_id,
            func.coalesce(had.c.eids, 0).label("eids"),
            func.coalesce(had.c.living, 0).label("living"),
            status.in_(ENTITLING_STATUSES).label("entitled"),
        )
        .select_from(
            person.outerjoin(had, had.c.member_id == person.c.member_id).outerjoin(
                roster_fact, roster_fact.c.member_id == person.c.member_id
            )
        )
        .where(reach.holds(), person.c.county_code == reach.county_code, person.c.standing.in_(OPEN_STANDINGS))
        .subquery("people")
    )
