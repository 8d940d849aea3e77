"""The pages of the desks, in the order in which their addresses are tried."""

from __future__ import annotations

from typing import Final

from zhibu_web.pages import (
    activation_sheets,
    application,
    applications,
    county_settings,
    desk,
    desk_certificates,
    desk_changes,
    desk_committees,
    desk_corrections,
    desk_decisions,
    desk_documents,
    desk_erasures,
    desk_foundings,
    desk_organisations,
    desk_people,
    desk_recoveries,
    desk_restoring,
    desk_settings,
    desk_statistics,
    desk_survey,
    eid_batches,
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
    # Before a person's page: an address below it.
    desk_documents,
    desk_decisions,
    desk_restoring,
    desk_people,
    desk_corrections,
    desk_recoveries,
    desk_erasures,
    eid_batches,
    activation_sheets,
    desk_foundings,
    desk_committees,
    desk_organisations,
    desk_changes,
    desk_statistics,
    desk_survey,
    desk_settings,
    desk_certificates,
    # Last: it has the address of the organisation itself.
    desk,
)
