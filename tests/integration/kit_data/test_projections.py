"""What every service keeps of others: the tree of organisations and the grants of office."""

from __future__ import annotations

from datetime import timedelta

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from integration.kit_data.records import telemetry
from zhibu.branches.v1.branches_events_pb2 import OrganisationChanged
from zhibu.identity.v1.identity_events_pb2 import GrantChanged
from zhibu_kit.bus import Bus
from zhibu_kit.consumers import Consumer, ConsumerRunner
from zhibu_kit.db import Database
from zhibu_kit.events import EventContext, event_type_of, key_of, version_of
from zhibu_kit.offices import permissions_of
from zhibu_kit.ports import Ancestry
from zhibu_kit.principal import Grant
from zhibu_kit.projections import GrantProjection, OrganisationProjection
from zhibu_kit.testing.clock import DEFAULT_START, FixedClock

TREE = [
    OrganisationChanged(organisation_id="37", county_code="37", active=True, version=1),
    OrganisationChanged(organisation_id="3707", parent_id="37", county_code="3707", active=True, version=1),
    OrganisationChanged(organisation_id="370724", parent_id="3707", county_code="370724", active=True, version=1),
    OrganisationChanged(organisation_id="370724-b1", parent_id="370724", county_code="370724", active=True, version=1),
]


class Applier:
    """Hands events to a projection's consumer, as JetStream would."""

    def __init__(self, consumer: Consumer, database: Database, bus: Bus, clock: FixedClock) -> None:
        self._runner = ConsumerRunner(consumer, database=database, bus=bus, telemetry=telemetry(), clock=clock)
        self._serial = 0

    async def apply(self, *events: Message) -> list[str]:
        return [await self._apply(event) for event in events]

    async def _apply(self, event: Message) -> str:
        self._serial += 1
        context = EventContext(
            event_id=f"event-{self._serial}",
            subject=event_type_of(event.DESCRIPTOR).subject,
            key=key_of(event),
            version=version_of(event),
            county_code="",
            traceparent="",
            occurred_at=DEFAULT_START,
        )
        return await self._runner.effects.apply(event, context)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def tree(owner: Database) -> OrganisationProjection:
    # Every look is a new one: what is cached for seconds is not what is tested here.
    instants = iter(range(0, 10_000, 100))
    return OrganisationProjection(owner, monotonic=lambda: next(instants))


@pytest.fixture
def organisations(tree: OrganisationProjection, owner: Database, owner_bus: Bus, clock: FixedClock) -> Applier:
    return Applier(tree.consumer(), owner, owner_bus, clock)


@pytest.fixture
def offices(owner: Database, clock: FixedClock) -> GrantProjection:
    return GrantProjection(owner, clock=clock)


@pytest.fixture
def grants(offices: GrantProjection, owner: Database, owner_bus: Bus, clock: FixedClock) -> Applier:
    return Applier(offices.consumer(), owner, owner_bus, clock)


async def test_an_organisation_stands_below_all_that_are_above_it(
    tree: OrganisationProjection, organisations: Applier
) -> None:
    # In whatever order they come.
    await organisations.apply(*reversed(TREE))
    assert await tree.ancestry("370724-b1") == Ancestry(
        organisation_ids=("370724-b1", "370724", "3707", "37"), county_code="370724"
    )
    assert await tree.ancestry("unknown") is None


async def test_an_organisation_whose_superior_is_not_known_yet_stands_alone(
    tree: OrganisationProjection, organisations: Applier
) -> None:
    await organisations.apply(TREE[3])
    assert await tree.ancestry("370724-b1") == Ancestry(organisation_ids=("370724-b1",), county_code="370724")


async def test_a_dissolved_organisation_is_unknown_and_an_older_event_does_not_bring_it_back(
    tree: OrganisationProjection, organisations: Applier
) -> None:
    dissolved = OrganisationChanged(organisation_id="370724-b1", parent_id="370724", county_code="370724", version=2)
    assert await organisations.apply(*TREE, dissolved, TREE[3]) == ["done"] * 5 + ["stale"]
    assert await tree.ancestry("370724-b1") is None


async def test_a_move_is_seen_at_once_by_those_who_were_looked_up_before(
    owner: Database, owner_bus: Bus, clock: FixedClock
) -> None:
    tree = OrganisationProjection(owner)
    organisations = Applier(tree.consumer(), owner, owner_bus, clock)
    other = OrganisationChanged(
        organisation_id="370725", parent_id="3707", county_code="370725", active=True, version=1
    )
    await organisations.apply(*TREE, other)
    assert await tree.ancestry("370724-b1") is not None
    moved = OrganisationChanged(
        organisation_id="370724-b1", parent_id="370725", county_code="370725", active=True, version=2
    )
    await organisations.apply(moved)
    assert await tree.ancestry("370724-b1") == Ancestry(
        organisation_ids=("370724-b1", "370725", "3707", "37"), county_code="370725"
    )
    # Whoever stands below what moved, moves with it.
    await organisations.apply(
        OrganisationChanged(organisation_id="370725", parent_id="37", county_code="370725", active=True, version=2)
    )
    assert await tree.ancestry("370724-b1") == Ancestry(
        organisation_ids=("370724-b1", "370725", "37"), county_code="370725"
    )


async def test_a_grant_holds_from_its_start_until_its_end(
    offices: GrantProjection, grants: Applier, clock: FixedClock
) -> None:
    await grants.apply(grant("g1", starts_in=60, ends_in=120, version=1))
    held: list[bool] = []
    for _ in range(4):
        held.append(await offices.grants_of("account-1") == (_APPROVER,))
        clock.advance(60)
    assert held == [False, True, False, False]
    assert await offices.grants_of("account-2") == ()


async def test_a_grant_without_an_end_holds_until_it_is_revoked(
    offices: GrantProjection, grants: Applier, clock: FixedClock
) -> None:
    await grants.apply(grant("g1", starts_in=-60, ends_in=None, version=1))
    clock.advance(20 * 365 * 86_400)
    assert await offices.grants_of("account-1") == (_APPROVER,)
    await grants.apply(grant("g1", starts_in=-60, ends_in=None, version=2, revoked=True))
    assert await offices.grants_of("account-1") == ()


async def test_a_revoked_grant_ends_and_an_older_event_does_not_bring_it_back(
    offices: GrantProjection, grants: Applier
) -> None:
    first = grant("g1", starts_in=-60, ends_in=3600, version=1)
    revoked = grant("g1", starts_in=-60, ends_in=3600, version=2, revoked=True)
    assert await grants.apply(first, revoked, first) == ["done", "done", "stale"]
    assert await offices.grants_of("account-1") == ()


async def test_an_office_of_a_later_version_may_do_nothing(offices: GrantProjection, grants: Applier) -> None:
    await grants.apply(grant("g1", starts_in=-60, ends_in=3600, version=1, office="office_of_the_future"))
    [held] = await offices.grants_of("account-1")
    assert held.permissions == frozenset()


_APPROVER = Grant(office="county_approver", organisation_id="370724", permissions=permissions_of("county_approver"))


def grant(
    grant_id: str,
    *,
    starts_in: int,
    ends_in: int | None,
    version: int,
    revoked: bool = False,
    office: str = "county_approver",
) -> GrantChanged:
    return GrantChanged(
        grant_id=grant_id,
        account_id="account-1",
        member_id="member-1",
        office=office,
        organisation_id="370724",
        county_code="370724",
        starts_at=_instant(starts_in),
        ends_at=None if ends_in is None else _instant(ends_in),
        revoked=revoked,
        version=version,
    )


def _instant(in_s: int) -> Timestamp:
    instant = Timestamp()
    instant.FromDatetime(DEFAULT_START + timedelta(seconds=in_s))
    return instant
