"""Time comes in as a parameter: services are handed a Clock, and tests hand them one that stands still."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Tells what time it is, as an aware instant in UTC."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        return datetime.now(UTC)


def today_in_shanghai(clock: Clock) -> date:
    """Return the calendar day in Shanghai, by which terms and deadlines are counted."""
    return clock.now().astimezone(SHANGHAI).date()
