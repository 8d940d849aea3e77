"""The chart of a branch's online rate: where its lines run, worked out here so that the page needs no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from zhibu_web.contract_branches import RatePoint

# The picture is as wide as a phone's screen, so that its words stay legible there.
WIDTH: Final = 340
HEIGHT: Final = 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 332, 14, 150


@dataclass(frozen=True, slots=True, kw_only=True)
class RateChart:
    """Lines of the chart in its own coordinates, and the days at its ends."""

    line: str
    area: str
    threshold_y: float
    marks: tuple[tuple[int, float], ...]
    first_day: date
    last_day: date
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = _RIGHT
    bottom: int = _BOTTOM


def rate_chart(history: Sequence[RatePoint], *, threshold_permille: int, today: date) -> RateChart | None:
    """Return the chart of a history (oldest first), or None when there is nothing to draw.

    The rate holds from each day until the next on which it changed, so the line goes in steps.
    """
    points = [(day, one.rate_permille) for one in history if (day := _day(one.date)) is not None and day <= today]
    if not points:
        return None
    first = points[0][0]
    span = max((today - first).days, 1)
    corners: list[tuple[float, float]] = []
    for day, permille in points:
        x = _LEFT + (day - first).days / span * (_RIGHT - _LEFT)
        if corners:
            corners.append((x, corners[-1][1]))
        corners.append((x, _y(permille)))
    corners.append((_RIGHT, corners[-1][1]))
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return RateChart(
        line=line,
        area=f"{_LEFT},{_BOTTOM} {line} {_RIGHT},{_BOTTOM}",
        threshold_y=_y(threshold_permille),
        marks=tuple((permille // 10, _y(permille)) for permille in (0, 500, 1000)),
        first_day=first,
        last_day=today,
    )


def _y(permille: int) -> float:
    return round(_BOTTOM - min(max(permille, 0), 1000) / 1000 * (_BOTTOM - _TOP), 1)


def _day(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
