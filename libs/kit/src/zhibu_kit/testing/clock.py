"""A clock which moves only when a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

DEFAULT_START = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


class FixedClock:
    """Stands still until `advance` or `set` is called."""

    def __init__(self, start: datetime = DEFAULT_START) -> None:
        """Stand at `start`, an aware instant."""
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the instant at which the clock stands."""
        return self._now

    def advance(self, by_s: float) -> None:
        """Move forward by a number of seconds."""
        self._now += timedelta(seconds=by_s)

    def set(self, instant: datetime) -> None:
        """Stand at another instant."""
        self._now = instant.astimezone(UTC)
