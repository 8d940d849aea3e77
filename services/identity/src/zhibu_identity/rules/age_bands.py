"""Ages in bands, from counts of years of birth: nobody is counted anew because a year has passed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Band to its oldest age; the last one has no end.
_BANDS: Final = (("18-29", 29), ("30-39", 39), ("40-49", 49), ("50-59", 59), ("60-69", 69), ("70-79", 79))
_OLDEST: Final = "80+"
NAMES: Final = (*(name for name, _ in _BANDS), _OLDEST)


def band_of(age_years: int) -> str:
    """Return the band of an age; the few who are younger than members can be stand in the first."""
    return next((name for name, last in _BANDS if age_years <= last), _OLDEST)


def count_bands(people_by_birth_year: Mapping[int, int], *, year: int) -> dict[str, int]:
    """Return how many people there are in each band, by the age that they complete in a year."""
    counts = dict.fromkeys(NAMES, 0)
    for birth_year, count in people_by_birth_year.items():
        counts[band_of(year - birth_year)] += count
    return counts
