"""One step of bringing a county online."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What it is, and how it is done; `do` is None when it is done already."""

    zh: str
    en: str
    do: Callable[[], None] | None
