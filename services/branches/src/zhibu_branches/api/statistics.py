"""StatisticsService as the contract names it."""

from __future__ import annotations

from zhibu.branches.v1 import statistics_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database, Role
from zhibu_kit.errors import NOT_FOUND

from zhibu_branches.member_events import instant
from zhibu_branches.queries import find_organisation
from zhibu_branches.statistics import Sums, statistics_of


class StatisticsApi:
    """Handlers of zhibu.branches.v1.StatisticsService."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take the database and the clock."""
        self._database = database
        self._clock = clock

    async def GetStatistics(self, request: pb.GetStatisticsRequest, call: Call) -> pb.GetStatisticsResponse:
        # As the province's role, also for one county: what is hidden here depends on what is hidden above. Only counts of
        # the organisation asked about leave this function, and its place was judged by the access rule.
        async with self._database.read(call, request, role=Role.PROVINCE) as read:
            found = await find_organisation(read, request.organisation_id)
            if found is None:
                raise NOT_FOUND(noun="organisation")
            total, below = await statistics_of(read, found)
            return read.reply(
                pb.GetStatisticsResponse(
                    total=_message(total),
                    below=[_message(one) for one in below],
                    as_of_time=instant(self._clock.now()),
                )
            )


def _message(sums: Sums) -> pb.OrganisationSums:
    return pb.OrganisationSums(
        organisation_id=sums.organisation_id,
        name=sums.name,
        member_count=sums.member_count,
        physical_branch_count=sums.physical_branch_count,
        virtual_branch_count=sums.virtual_branch_count,
        online_branch_count=sums.online_branch_count,
        virtual_member_count=sums.virtual_member_count,
        ungrouped_member_count=sums.ungrouped_member_count,
        by_status=[pb.Group(key=key, count=count) for key, count in sums.by_status.items()],
        by_occupation=[pb.Group(key=key, count=count) for key, count in sums.by_occupation.items()],
        by_admission=[pb.Group(key=key, count=count) for key, count in sums.by_admission.items()],
    )
