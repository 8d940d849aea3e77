"""The kinds of virtual branches that a county knows: its own list, or the five of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction
from zhibu_kit.errors import ServiceError, field_error
from zhibu_kit.etag import check_etag

from zhibu_branches.foundings import errors
from zhibu_branches.foundings.tables import founding, founding_kinds
from zhibu_branches.rules.foundings import DEFAULT_KINDS, Kind, KindRefusal, refusal_of_kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class KindList:
    """The kinds of a county; version 0 means that it never said anything and has the defaults."""

    kinds: tuple[Kind, ...] = DEFAULT_KINDS
    version: int = 0


async def kinds_of(transaction: Transaction, county_code: str, *, lock: bool = False) -> KindList:
    """The kinds that a county knows."""
    statement = select(founding_kinds).where(founding_kinds.c.county_code == county_code)
    row = await transaction.one_or_none(statement.with_for_update() if lock else statement)
    if row is None:
        return KindList()
    return KindList(kinds=tuple(Kind(**kind) for kind in row.kinds), version=row.version)


async def replace_kinds(
    transaction: Transaction, county_code: str, wanted: Sequence[Kind], *, etag: str, now: datetime
) -> KindList:
    """Replaces the list of a county.

    Raises:
        ServiceError: ETAG_MISMATCH, KIND_IN_USE, or a field error on kinds.
    """
    present = await kinds_of(transaction, county_code, lock=True)
    check_etag(etag, present.version)
    used = await transaction.all(select(founding.c.kind).where(founding.c.county_code == county_code).distinct())
    refusal = refusal_of_kinds(wanted, [row.kind for row in used])
    if refusal is not None:
        raise _error(*refusal)
    values = {"kinds": [asdict(kind) for kind in wanted], "version": present.version + 1, "update_time": now}
    # Two who make the first list of a county at once: the second one's version no longer fits.
    changed = await transaction.execute(
        insert(founding_kinds)
        .values(county_code=county_code, **values)
        .on_conflict_do_update(
            index_elements=["county_code"], set_=values, where=founding_kinds.c.version == present.version
        )
    )
    if changed.rowcount == 0:
        check_etag(etag, present.version + 1)
    return KindList(kinds=tuple(wanted), version=present.version + 1)


def _error(refusal: KindRefusal, kind: str) -> ServiceError:
    match refusal:
        case KindRefusal.NAMED_TWICE:
            return field_error("kinds", errors.KIND_NAMED_TWICE, kind=kind)
        case KindRefusal.IN_USE:
            return errors.KIND_IN_USE(kind=kind)
        case KindRefusal.NONE_ACTIVE:
            return field_error("kinds", errors.NO_KIND_ACTIVE)
