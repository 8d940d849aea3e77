"""How the service is put together from its parts; `__main__` is what starts it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from types import SimpleNamespace
from typing import Final

from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from zhibu.branches.v1 import (
    committee_service_pb2,
    founding_service_pb2,
    membership_service_pb2,
    organisation_service_pb2,
    roster_application_service_pb2,
    statistics_service_pb2,
    survey_service_pb2,
)
from zhibu_kit.app import Assembly, Runtime
from zhibu_kit.background import Job
from zhibu_kit.consumers import Consumer
from zhibu_kit.db import Role, Scope, Transaction

from zhibu_branches import publication
from zhibu_branches.api.committees import CommitteeApi
from zhibu_branches.api.founding_desk import FoundingDeskApi
from zhibu_branches.api.foundings import FoundingApi
from zhibu_branches.api.memberships import MembershipApi
from zhibu_branches.api.my_memberships import MyMembershipsApi
from zhibu_branches.api.organisation_changes import OrganisationChangeApi
from zhibu_branches.api.organisations import OrganisationApi
from zhibu_branches.api.rosters import RosterApi
from zhibu_branches.api.statistics import StatisticsApi
from zhibu_branches.api.survey_desk import SurveyDeskApi
from zhibu_branches.api.surveys import SurveyApi
from zhibu_branches.committees.events import committee_snapshot
from zhibu_branches.committees.terms import warn_of_terms
from zhibu_branches.erased import erased_consumer
from zhibu_branches.foundings.deciding import expire_foundings
from zhibu_branches.foundings.events import founding_snapshot
from zhibu_branches.organisations import ensure_province
from zhibu_branches.planning import do_due_changes
from zhibu_branches.requests import lapse_everywhere
from zhibu_branches.rosters.consuming import RosterConsumers
from zhibu_branches.settings import BranchesSettings
from zhibu_branches.snapshots import member_snapshot
from zhibu_branches.statistics import fold_tallies
from zhibu_branches.surveys.counting import recount_due
from zhibu_branches.surveys.events import survey_snapshot
from zhibu_branches.unplaced import unplaced_consumer

# Days and months are what these jobs look at; an hour late is early enough.
HOURLY_S: Final = 3600.0
# Rates of branches whose members changed; whoever answers sees the new rate at once.
RECOUNT_S: Final = 5.0
# Between two runs the sums have more rows to add; nothing is wrong meanwhile.
FOLD_S: Final = 60.0
# Plans hold from the beginning of their day; a minute later is the beginning.
PLANS_S: Final = 60.0


async def build(runtime: Runtime[BranchesSettings]) -> Assembly:
    """Make the province when the tree is empty, and the service from its parts."""
    settings = runtime.settings
    async with runtime.database.transaction(Scope.none(), role=Role.PROVINCE) as transaction:
        now = runtime.clock.now()
        province = await ensure_province(
            transaction, code=settings.branches_province_code, name=settings.branches_province_name, now=now
        )
        if province is not None:
            await publication.publish_change(transaction, province, change_time=now)
    return Assembly(servicers=_servicers(runtime), consumers=_consumers(runtime), jobs=_jobs(runtime))


def _servicers(runtime: Runtime[BranchesSettings]) -> Mapping[ServiceDescriptor, object]:
    database, clock = runtime.database, runtime.clock
    return {
        organisation_service_pb2.DESCRIPTOR.services_by_name["OrganisationService"]: joined(
            OrganisationApi(database, clock), OrganisationChangeApi(database, clock)
        ),
        membership_service_pb2.DESCRIPTOR.services_by_name["MembershipService"]: joined(
            MyMembershipsApi(database, clock), MembershipApi(database, clock)
        ),
        roster_application_service_pb2.DESCRIPTOR.services_by_name["RosterApplicationService"]: RosterApi(database),
        statistics_service_pb2.DESCRIPTOR.services_by_name["StatisticsService"]: StatisticsApi(database, clock),
        founding_service_pb2.DESCRIPTOR.services_by_name["FoundingService"]: joined(
            FoundingApi(database, clock), FoundingDeskApi(database, clock)
        ),
        committee_service_pb2.DESCRIPTOR.services_by_name["CommitteeService"]: CommitteeApi(database, clock),
        survey_service_pb2.DESCRIPTOR.services_by_name["SurveyService"]: joined(
            SurveyApi(database, clock), SurveyDeskApi(database, clock)
        ),
    }


def _consumers(runtime: Runtime[BranchesSettings]) -> list[Consumer]:
    return [unplaced_consumer(), erased_consumer(), *RosterConsumers(runtime.clock).consumers()]


def _jobs(runtime: Runtime[BranchesSettings]) -> list[Job]:
    database, clock = runtime.database, runtime.clock

    async def expire() -> None:
        await expire_foundings(database, now=clock.now())

    async def lapse() -> None:
        await lapse_everywhere(database, now=clock.now())

    async def warn() -> None:
        await warn_of_terms(database, now=clock.now())

    async def recount() -> None:
        await recount_due(database, clock)

    async def change() -> None:
        await do_due_changes(database, now=clock.now())

    async def fold() -> None:
        await fold_tallies(database)

    return [
        Job(name="folding of counts", run=fold, every_s=FOLD_S),
        Job(name="planned changes of the tree", run=change, every_s=PLANS_S),
        Job(name="expiry of foundings", run=expire, every_s=HOURLY_S),
        Job(name="lapse of membership requests", run=lapse, every_s=HOURLY_S),
        Job(name="warnings of terms", run=warn, every_s=HOURLY_S),
        Job(name="rates of branches", run=recount, every_s=RECOUNT_S),
    ]


async def snapshot(transaction: Transaction) -> AsyncGenerator[tuple[Message, str]]:
    """The present state of everything of this service as the events that would tell of it, for reconciling."""
    for part in (publication.snapshot, member_snapshot, founding_snapshot, survey_snapshot, committee_snapshot):
        async for event, county_code in part(transaction):
            yield event, county_code


def joined(*servicers: object) -> SimpleNamespace:
    """One servicer with the handlers of several: a service's RPCs are spread over files by who calls them."""
    handlers: dict[str, object] = {}
    for servicer in servicers:
        for name in vars(type(servicer)):
            if name[0].isupper():
                assert name not in handlers, f"{name} has two handlers"
                handlers[name] = getattr(servicer, name)
    return SimpleNamespace(**handlers)
