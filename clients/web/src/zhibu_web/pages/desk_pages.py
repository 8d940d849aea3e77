"""The pages of the desks, in the order in which their addresses are tried."""

from __future__ import annotations

from typing import Final

from zhibu_web.pages import (
    application,
    applications,
    county_settings,
    desk,
    eids,
    grants,
    roster_mapping,
    rosters,
)

DESK_PAGES: Final = (
    applications,
    application,
    eids,
    grants,
    county_settings,
    rosters,
    roster_mapping,
    # Last: it has the address of the organisation itself.
    desk,
)
