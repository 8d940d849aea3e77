"""Mobile telephone numbers of the mainland: 11 digits."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

# The national numbering plan gives 13 to 19 to mobile telephones.
_MOBILE: Final = re.compile(r"^1[3-9][0-9]{9}$", re.ASCII)
# Eleven digits that begin with 12 belong to nobody: short service codes begin so (12306, 12371), subscribers do not.
_SYNTHETIC: Final = re.compile(r"^12[0-9]{9}$", re.ASCII)


class TelephoneFault(Enum):
    """What is wrong with a telephone number."""

    PREFIX = "prefix"
    SYNTHETIC = "synthetic"


def find_telephone_fault(telephone: str, *, synthetic_allowed: bool) -> TelephoneFault | None:
    """Return what is wrong with a number, None when it can be called."""
    if _SYNTHETIC.match(telephone):
        return None if synthetic_allowed else TelephoneFault.SYNTHETIC
    return None if _MOBILE.match(telephone) else TelephoneFault.PREFIX
