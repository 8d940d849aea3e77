"""Scope: the counties whose rows one transaction may see."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The counties (six-digit GB/T 2260 codes) whose rows the database shows; an empty scope shows no row."""

    counties: frozenset[str]

    @classmethod
    def of(cls, *counties: str) -> Scope:
        """Return the scope of the named counties."""
        return cls(counties=frozenset(counties))

    @classmethod
    def of_county(cls, county_code: str | None) -> Scope:
        """Return the scope of one county; of none when the code is empty."""
        return cls.of(county_code) if county_code else _NONE

    @classmethod
    def none(cls) -> Scope:
        """Return the scope which shows nothing."""
        return _NONE

    def setting(self) -> str:
        """Return the value of the database setting `zhibu.counties`: the codes, sorted, with commas between."""
        return ",".join(sorted(self.counties))


_NONE = Scope(counties=frozenset())
