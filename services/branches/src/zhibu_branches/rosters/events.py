"""What other services are told of a roster."""

from typing import Any

from sqlalchemy import Row
from zhibu.branches.v1 import branches_events_pb2 as events

from zhibu_branches.member_events import instant


def roster_applied(row: Row[Any]) -> events.RosterApplied:
    """That every row of a roster was looked at."""
    return events.RosterApplied(
        roster_id=row.roster_id,
        organisation_id=row.organisation_id,
        county_code=row.county_code,
        applied_count=row.applied_count,
        unchanged_count=row.unchanged_count,
        conflict_count=row.conflict_count,
        version=1,
        change_time=instant(row.update_time),
    )
