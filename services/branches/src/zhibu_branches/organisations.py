"""Changing the organisation tree."""

from datetime import datetime
from typing import Final

from sqlalchemy import func, literal_column, select, update
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.db import Transaction
from zhibu_kit.errors import NOT_FOUND, ErrorKind, ServiceError, field_error
from zhibu_kit.etag import check_etag

from zhibu_branches import errors
from zhibu_branches.locks import to_change
from zhibu_branches.models import organisation
from zhibu_branches.queries import Organisation, find_organisation, organisation_from
from zhibu_branches.rules.tree import (
    Level,
    Place,
    Refusal,
    place_below,
    province_place,
    readable_name,
    search_form,
    search_tokens,
)

# Any number that no other advisory lock of this database has.
_PROVINCE_LOCK: Final = 2260_37
# Years of a committee's term; 5 in villages and communities.
DEFAULT_TERM_YEARS: Final = 3


async def create_organisation(
    transaction: Transaction,
    *,
    parent_id: str,
    level: Level,
    code: str,
    name: str,
    new_id: str,
    now: datetime,
    virtual: bool = False,
    term_years: int = DEFAULT_TERM_YEARS,
) -> Organisation:
    """Adds an organisation below another; code and new_id as in rules.place_below. Only a founding makes virtual ones.

    Raises:
        ServiceError: NOT_FOUND for the parent, ORGANISATION_DISSOLVED, ORGANISATION_EXISTS, ORGANISATION_NAME_TAKEN, or
            a field error on level, organisation_id or name.
    """
    stored_name = stored_name_of(name)
    parent = await _lock_parent(transaction, parent_id)
    place = await check_new(transaction, parent, level=level, code=code, name=stored_name, new_id=new_id)
    return await _insert(transaction, place, name=stored_name, now=now, virtual=virtual, term_years=term_years)


async def check_new(
    transaction: Transaction, parent: Organisation, *, level: Level, code: str, name: str, new_id: str
) -> Place:
    """Where a new organisation with this stored name stands below a locked parent.

    Raises:
        ServiceError: ORGANISATION_DISSOLVED, ORGANISATION_EXISTS, ORGANISATION_NAME_TAKEN, or a field error on level or
            organisation_id.
    """
    if not parent.active:
        raise errors.ORGANISATION_DISSOLVED()
    place = place_below(parent.place, level=level, code=code, new_id=new_id)
    if isinstance(place, Refusal):
        raise _field_error(place)
    if await find_organisation(transaction, place.organisation_id) is not None:
        raise errors.ORGANISATION_EXISTS(organisation_id=place.organisation_id)
    await check_name_free(transaction, parent_id=parent.place.organisation_id, name=name)
    return place


async def rename_organisation(
    transaction: Transaction, *, organisation_id: str, name: str, etag: str, now: datetime
) -> tuple[Organisation, bool]:
    """Gives an organisation another name; the second value is False when it has that name already.

    Raises:
        ServiceError: NOT_FOUND, ETAG_MISMATCH, ORGANISATION_DISSOLVED, ORGANISATION_NAME_TAKEN, or a field error on
            name.
    """
    stored_name = stored_name_of(name)
    found = await find_organisation(transaction, organisation_id)
    if found is not None and found.parent_id is not None:
        await _lock_parent(transaction, found.parent_id)
    row = await transaction.one_or_none(
        to_change(select(organisation).where(organisation.c.organisation_id == organisation_id))
    )
    if row is None or found is None:
        raise NOT_FOUND(noun="organisation")
    check_etag(etag, row.version)
    if not row.active:
        raise errors.ORGANISATION_DISSOLVED()
    changed = stored_name != row.name
    if changed:
        await check_name_free(transaction, parent_id=row.parent_id, name=stored_name)
        await transaction.execute(
            update(organisation)
            .where(organisation.c.organisation_id == organisation_id)
            .values(**_name_columns(stored_name), version=row.version + 1, update_time=now)
        )
    return await _get(transaction, organisation_id), changed


async def ensure_province(transaction: Transaction, *, code: str, name: str, now: datetime) -> Organisation | None:
    """Makes the province when the tree is empty; None when it is there already.

    Raises:
        ValueError: there is another province, or the code is not that of a province.
    """
    # Two processes that start at once must not both find the tree empty.
    await transaction.execute(select(func.pg_advisory_xact_lock(_PROVINCE_LOCK)))
    present = await transaction.one_or_none(
        select(organisation.c.organisation_id).where(organisation.c.parent_id.is_(None))
    )
    if present is None:
        return await _insert(transaction, province_place(code), name=stored_name_of(name), now=now)
    if present.organisation_id != code:
        raise ValueError(f"this database holds the province {present.organisation_id}, not {code}")
    return None


async def _lock_parent(transaction: Transaction, parent_id: str) -> Organisation:
    """Reads a parent and keeps others from changing what stands directly below it until the transaction ends."""
    row = await transaction.one_or_none(
        to_change(
            select(organisation, literal_column("0").label("child_count")).where(
                organisation.c.organisation_id == parent_id
            )
        )
    )
    if row is None:
        raise NOT_FOUND(noun="organisation")
    return organisation_from(row)


async def check_name_free(transaction: Transaction, *, parent_id: str | None, name: str) -> None:
    """Refuses a name that another active organisation below the same one has.

    Raises:
        ServiceError: ORGANISATION_NAME_TAKEN.
    """
    taken = await transaction.one_or_none(
        select(organisation.c.organisation_id).where(
            organisation.c.parent_id == parent_id, organisation.c.name == name, organisation.c.active
        )
    )
    if taken is not None:
        raise errors.ORGANISATION_NAME_TAKEN(organisation_id=taken.organisation_id)


async def _insert(
    transaction: Transaction,
    place: Place,
    *,
    name: str,
    now: datetime,
    virtual: bool = False,
    term_years: int = DEFAULT_TERM_YEARS,
) -> Organisation:
    await transaction.execute(
        organisation.insert().values(
            organisation_id=place.organisation_id,
            parent_id=place.ancestor_ids[-1] if place.ancestor_ids else None,
            level=place.level,
            county_code=place.county_code,
            ancestor_ids=list(place.ancestor_ids),
            active=True,
            version=1,
            create_time=now,
            update_time=now,
            virtual=virtual,
            start_date=now.astimezone(SHANGHAI).date(),
            term_years=term_years,
            **_name_columns(name),
        )
    )
    return await _get(transaction, place.organisation_id)


async def _get(transaction: Transaction, organisation_id: str) -> Organisation:
    found = await find_organisation(transaction, organisation_id)
    if found is None:
        raise NOT_FOUND(noun="organisation")
    return found


def _name_columns(name: str) -> dict[str, object]:
    return {"name": name, "name_form": search_form(name), "name_tokens": sorted(search_tokens(name))}


def stored_name_of(name: str) -> str:
    """The name as it is kept, or a field error on name."""
    stored = readable_name(name)
    if isinstance(stored, Refusal):
        raise _field_error(stored)
    return stored


_FIELD_ERRORS: Final[dict[Refusal, tuple[str, ErrorKind]]] = {
    Refusal.LEVEL_NOT_ALLOWED: ("level", errors.LEVEL_NOT_ALLOWED),
    Refusal.CODE_REQUIRED: ("organisation_id", errors.CODE_REQUIRED),
    Refusal.CODE_NOT_ALLOWED: ("organisation_id", errors.CODE_NOT_ALLOWED),
    Refusal.CODE_NOT_BELOW_PARENT: ("organisation_id", errors.CODE_NOT_BELOW_PARENT),
    Refusal.NAME_NOT_READABLE: ("name", errors.NAME_NOT_READABLE),
}


def _field_error(refusal: Refusal) -> ServiceError:
    field, kind = _FIELD_ERRORS[refusal]
    return field_error(field, kind)
