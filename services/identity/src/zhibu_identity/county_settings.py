"""The switches of a county; a county that set none has the defaults."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction
from zhibu_kit.etag import check_etag

from zhibu_identity.models import county_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class CountySettings:
    """The switches of one county; version 0 means that nobody has set any."""

    applications_open: bool = True
    activation_by_telephone: bool = False
    help_telephone: str = ""
    help_hours: str = ""
    version: int = 0


async def find_settings(transaction: Transaction, county_code: str, *, lock: bool = False) -> CountySettings:
    """Return the switches of a county."""
    statement = select(county_settings).where(county_settings.c.county_code == county_code)
    row = await transaction.one_or_none(statement.with_for_update() if lock else statement)
    if row is None:
        return CountySettings()
    return CountySettings(
        applications_open=row.applications_open,
        activation_by_telephone=row.activation_by_telephone,
        help_telephone=row.help_telephone,
        help_hours=row.help_hours,
        version=row.version,
    )


async def replace_settings(
    transaction: Transaction, county_code: str, wanted: CountySettings, *, etag: str
) -> CountySettings:
    """Replace the switches of a county.

    Raises:
        ServiceError: ETAG_MISMATCH when somebody has changed them in the meantime.
    """
    present = await find_settings(transaction, county_code, lock=True)
    check_etag(etag, present.version)
    values = {
        "applications_open": wanted.applications_open,
        "activation_by_telephone": wanted.activation_by_telephone,
        "help_telephone": wanted.help_telephone,
        "help_hours": wanted.help_hours,
        "version": present.version + 1,
    }
    # Two who set the first switches of a county at once: the second one's version no longer fits.
    changed = await transaction.execute(
        insert(county_settings)
        .values(county_code=county_code, **values)
        .on_conflict_do_update(
            index_elements=["county_code"], set_=values, where=county_settings.c.version == present.version
        )
    )
    if changed.rowcount == 0:
        check_etag(etag, present.version + 1)
    return CountySettings(**values)  # pyright: ignore[reportArgumentType] - the values above have the fields' types
