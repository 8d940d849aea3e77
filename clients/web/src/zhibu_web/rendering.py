"""Templates: Jinja2 with everything escaped and no name left undefined, and the ways in which values are shown."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final, cast
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from zhibu_kit.clock import Clock

from zhibu_web.contract import Organisation
from zhibu_web.texts import EN

PACKAGE: Final = Path(__file__).parent
STATIC: Final = PACKAGE / "static"
_SHANGHAI: Final = ZoneInfo("Asia/Shanghai")


class Renderer:
    """Makes HTML from templates."""

    def __init__(self, clock: Clock) -> None:
        """Read templates as they are first needed; static files get their hash into their address."""
        self._clock = clock
        self._environment = Environment(
            loader=FileSystemLoader(PACKAGE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        versions = {
            path.relative_to(STATIC).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            for path in STATIC.rglob("*")
            if path.is_file()
        }

        def static(name: str) -> str:
            return f"/static/{name}?v={versions[name]}"

        self.static: Callable[[str], str] = static
        # Jinja's own tables have the types of its built-in functions and filters.
        cast("dict[str, Callable[..., object]]", self._environment.globals)["static"] = static
        filters = cast("dict[str, Callable[..., object]]", self._environment.filters)
        filters.update(
            when=_when, day=_day, last_day=_last_day, grouped=grouped, minutes_left=self._minutes_left, pairs=pairs
        )
        filters.update(percent=percent, masked=masked)

    def render(self, template: str, context: Mapping[str, object]) -> str:
        """Return the HTML of a template."""
        return self._environment.get_template(template).render(context)

    def _minutes_left(self, instant: datetime | None) -> int:
        """Whole minutes until an instant, at least one while it lies ahead, zero afterwards."""
        if instant is None:
            return 0
        seconds = (instant - self._clock.now()).total_seconds()
        return max(1, round(seconds / 60)) if seconds > 0 else 0


@pass_context
def _when(context: Context, instant: datetime | None) -> str:
    """Date and time in Shanghai, as people write it."""
    return when(str(context.get("language")), instant)


def when(language: str, instant: datetime | None) -> str:
    """Date and time in Shanghai, as people write it in a language."""
    if instant is None:
        return ""
    local = instant.astimezone(_SHANGHAI)
    if language == EN:
        return f"{local.day} {local:%B %Y}, {local:%H:%M}"
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


@pass_context
def _day(context: Context, value: datetime | date | str | None) -> str:
    """Date, in Shanghai when it comes from an instant, as people write it."""
    if not value:
        return ""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            return value
    local = value.astimezone(_SHANGHAI).date() if isinstance(value, datetime) else value
    if context.get("language") == EN:
        return f"{local.day} {local:%B %Y}"
    return f"{local.year}年{local.month}月{local.day}日"


@pass_context
def _last_day(context: Context, instant: datetime | None) -> str:
    """The last whole day before an instant at which something ends, as people write it."""
    return _day(context, instant - timedelta(microseconds=1)) if instant else ""


def grouped(value: str) -> str:
    """A long number in groups of four, which people can compare and read aloud."""
    return " ".join(value[start : start + 4] for start in range(0, len(value), 4))


def percent(permille: int) -> str:
    """Thousandths as percent, without a decimal that says nothing."""
    whole, tenth = divmod(permille, 10)
    return f"{whole}.{tenth}%" if tenth else f"{whole}%"


def masked(value: str, shown_in_front: int, shown_behind: int) -> str:
    """A number whose middle is hidden; what is too short for that is hidden whole."""
    hidden = len(value) - shown_in_front - shown_behind
    if hidden <= 0:
        return "*" * len(value)
    return value[:shown_in_front] + "*" * hidden + value[len(value) - shown_behind :]


def pairs(organisations: Iterable[Organisation]) -> list[tuple[str, str]]:
    """Identifier and name of each, as a list to choose from."""
    return [(one.organisation_id, one.name) for one in organisations]
