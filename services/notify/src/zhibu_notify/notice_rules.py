"""When notices are made and when they may go out by SMS. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
# Events come again: from a stream that is read from its beginning, or after reconciling. Nobody wants last week's news.
NEWS_AGE: Final = timedelta(days=3)
# An ordinary message that could not go out for so long is no news any more; it stands in the inbox.
SMS_AGE: Final = timedelta(days=2)
# Messages that one member gets in a day (Asia/Shanghai), whatever happens.
ORDINARY_PER_DAY: Final = 5
URGENT_PER_DAY: Final = 20
# Times that a message is handed over when the message centre says "not now" or fails by its own fault.
ATTEMPTS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """Hours (Asia/Shanghai) in which ordinary messages wait, from the first to before the second; none when they are the same."""

    from_hour: int
    until_hour: int

    def hold(self, now: datetime) -> bool:
        """Whether an ordinary message has to wait now."""
        hour = now.astimezone(SHANGHAI).hour
        if self.from_hour <= self.until_hour:
            return self.from_hour <= hour < self.until_hour
        return hour >= self.from_hour or hour < self.until_hour


DEFAULT_QUIET_HOURS: Final = QuietHours(from_hour=21, until_hour=8)


def is_news(happened: datetime, now: datetime) -> bool:
    """Whether something happened lately enough to be told."""
    return now - happened <= NEWS_AGE


def month_of(now: datetime) -> str:
    """The month of a bill, for example "2026-11"."""
    return now.astimezone(SHANGHAI).strftime("%Y-%m")


def start_of_day(now: datetime) -> datetime:
    """The beginning of the day in Asia/Shanghai."""
    return now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


def retry_after(attempt_count: int) -> timedelta:
    """How long a message waits before it is handed over again: 10 s after the first time, up to ten minutes."""
    return min(timedelta(seconds=10 * 2 ** min(attempt_count, 10)), timedelta(minutes=10))
