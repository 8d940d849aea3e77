"""Which kind of membership entitles to what in a county: the defaults, or what the county decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from zhibu.branches.v1 import membership_service_pb2 as pb
from zhibu_kit.db import Transaction
from zhibu_kit.errors import EN, ErrorKind, field_error
from zhibu_kit.etag import check_etag

from zhibu_branches import errors
from zhibu_branches.models import membership_rights as table
from zhibu_branches.rules.rights import ACTS, DEFAULT_RIGHTS, Right, RightsRefusal, check_rights

_DEFAULT_VERSION: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CountyRights:
    """The rights of a county; version 0 while they are the defaults."""

    rights: tuple[Right, ...]
    version: int


async def rights_of(transaction: Transaction, counties: Sequence[str]) -> Mapping[str, CountyRights]:
    """The rights of some counties that the scope shows, the defaults for all others."""
    rows = await transaction.all(select(table).where(table.c.county_code == func.any(list(counties))))
    decided = {row.county_code: CountyRights(rights=rights_from(row.rights), version=row.version) for row in rows}
    default = CountyRights(rights=DEFAULT_RIGHTS, version=_DEFAULT_VERSION)
    return {county: decided.get(county, default) for county in counties}


async def update_rights(
    transaction: Transaction, county_code: str, rights: Sequence[Right], *, etag: str, now: datetime
) -> CountyRights:
    """Replaces the rights of a county.

    Raises:
        ServiceError: ETAG_MISMATCH, or a field error on rights.
    """
    refusal = check_rights(rights)
    if refusal is not None:
        raise field_error("rights", _REFUSALS[refusal])
    # Two first changes of a county must not both find the defaults.
    await transaction.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"membership_rights/{county_code}"))))
    present = (await rights_of(transaction, [county_code]))[county_code]
    check_etag(etag, present.version)
    # An act that a later version adds takes its place among the defaults when it is read.
    written = [
        {
            "act": right.act,
            "by_physical": right.by_physical,
            "by_virtual": right.by_virtual,
            "full_members_only": right.full_members_only,
            "article": right.article,
        }
        for right in rights
    ]
    values = {"rights": written, "version": present.version + 1, "update_time": now}
    await transaction.execute(
        insert(table)
        .values(county_code=county_code, **values)
        .on_conflict_do_update(index_elements=["county_code"], set_=values)
    )
    return CountyRights(rights=tuple(rights), version=present.version + 1)


def right_of(message: pb.MembershipRight) -> Right:
    """The right of a message."""
    return Right(
        act=message.act,
        by_physical=message.by_physical,
        by_virtual=message.by_virtual,
        full_members_only=message.full_members_only,
        article=message.article,
    )


def right_message(right: Right, *, language: str) -> pb.MembershipRight:
    """What callers see of a right."""
    act = ACTS[right.act]
    return pb.MembershipRight(
        act=right.act,
        display_name=act.en if language == EN else act.zh,
        by_physical=right.by_physical,
        by_virtual=right.by_virtual,
        full_members_only=right.full_members_only,
        article=right.article,
    )


def rights_from(stored: Sequence[Mapping[str, object]] | None) -> tuple[Right, ...]:
    """The rights of a row, or the defaults where there is none."""
    if stored is None:
        return DEFAULT_RIGHTS
    decided = {
        str(one["act"]): Right(
            act=str(one["act"]),
            by_physical=bool(one["by_physical"]),
            by_virtual=bool(one["by_virtual"]),
            full_members_only=bool(one["full_members_only"]),
            article=str(one["article"]),
        )
        for one in stored
    }
    return tuple(decided.get(right.act, right) for right in DEFAULT_RIGHTS)


_REFUSALS: Final[Mapping[RightsRefusal, ErrorKind]] = {
    RightsRefusal.ACT_UNKNOWN: errors.RIGHTS_ACT_UNKNOWN,
    RightsRefusal.ACT_TWICE: errors.RIGHTS_ACT_TWICE,
    RightsRefusal.ACT_MISSING: errors.RIGHTS_ACT_MISSING,
    RightsRefusal.NOWHERE: errors.RIGHTS_NOWHERE,
}
