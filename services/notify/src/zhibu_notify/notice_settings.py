"""What a county sends by SMS, when, and what it has cost."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction
from zhibu_kit.errors import ETAG_MISMATCH
from zhibu_kit.etag import check_etag, etag_of

from zhibu_notify.inbox_models import notice_month, notice_settings, notice_sms
from zhibu_notify.notice_rules import DEFAULT_QUIET_HOURS, QuietHours, month_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one county. A county that has set nothing sends urgent notices only: messages cost money."""

    sms_kinds: frozenset[int] = frozenset()
    quiet_hours: QuietHours = field(default=DEFAULT_QUIET_HOURS)
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What went out this month, and what waits."""

    message_count: int
    waiting_count: int


async def find_settings(transaction: Transaction, county_code: str) -> Settings:
    """The settings of a county; the defaults when it has set nothing."""
    row = await transaction.one_or_none(select(notice_settings).where(notice_settings.c.county_code == county_code))
    if row is None:
        return Settings()
    return Settings(
        sms_kinds=frozenset(row.sms_kinds),
        quiet_hours=QuietHours(from_hour=row.quiet_from_hour, until_hour=row.quiet_until_hour),
        version=row.version,
    )


async def update_settings(
    transaction: Transaction,
    county_code: str,
    *,
    sms_kinds: Collection[int],
    quiet_hours: QuietHours,
    etag: str,
    now: datetime,
) -> Settings:
    """Changes the settings of a county.

    Raises:
        ServiceError: ETAG_MISMATCH when somebody else changed them meanwhile.
    """
    known = await find_settings(transaction, county_code)
    check_etag(etag, known.version)
    values = {
        "sms_kinds": sorted(set(sms_kinds)),
        "quiet_from_hour": quiet_hours.from_hour,
        "quiet_until_hour": quiet_hours.until_hour,
        "version": known.version + 1,
        "update_time": now,
    }
    statement = (
        insert(notice_settings)
        .values(county_code=county_code, **values)
        .on_conflict_do_update(
            index_elements=["county_code"], set_=values, where=notice_settings.c.version == known.version
        )
        .returning(notice_settings.c.version)
    )
    # Somebody may have been faster between the reading and this.
    if await transaction.scalar(statement) is None:
        raise ETAG_MISMATCH(etag=etag_of(known.version + 1))
    return Settings(sms_kinds=frozenset(sms_kinds), quiet_hours=quiet_hours, version=known.version + 1)


async def count_sent(transaction: Transaction, county_code: str, *, now: datetime) -> Sent:
    """What went out in the present month, and what waits."""
    message_count = await transaction.scalar(
        select(notice_month.c.message_count).where(
            notice_month.c.county_code == county_code, notice_month.c.month == month_of(now)
        )
    )
    waiting_count = await transaction.scalar(
        select(func.count())
        .select_from(notice_sms)
        .where(notice_sms.c.county_code == county_code, notice_sms.c.state == "waiting")
    )
    return Sent(message_count=message_count or 0, waiting_count=waiting_count or 0)


async def charge(
    transaction: Transaction, county_code: str, *, message_count: int, segment_count: int, now: datetime
) -> None:
    """Adds messages that the message centre took to the county's month."""
    table = notice_month
    statement = insert(table).values(
        county_code=county_code, month=month_of(now), message_count=message_count, segment_count=segment_count
    )
    await transaction.execute(
        statement.on_conflict_do_update(
            index_elements=["county_code", "month"],
            set_={
                "message_count": table.c.message_count + statement.excluded.message_count,
                "segment_count": table.c.segment_count + statement.excluded.segment_count,
            },
        )
    )
