"""Committed rosters become memberships and records, once, whatever is delivered how often and in which order (A4)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import asyncpg
from google.protobuf.timestamp_pb2 import Timestamp
from integration.branches.membership_support import publish
from integration.branches.party import Party
from integration.branches.running_branches import LINQU_ADMIN
from support.rpc import outcome_of
from zhibu.branches.v1 import branches_events_pb2, membership_pb2, roster_application_service_pb2_grpc
from zhibu.branches.v1 import roster_application_service_pb2 as pb
from zhibu.identity.v1 import roster_events_pb2, roster_pb2
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until


@dataclass(frozen=True, kw_only=True)
class Roster:
    """A roster as identity commits it."""

    entries: list[roster_pb2.RosterEntry]
    county: str = "370724"
    part_size: int = 500
    roster_id: str = field(default_factory=new_ulid)

    def parts(self) -> list[roster_events_pb2.RosterEntriesCommitted]:
        now = Timestamp()
        now.FromDatetime(datetime.now(UTC))
        cut = [self.entries[at : at + self.part_size] for at in range(0, len(self.entries), self.part_size)]
        return [
            roster_events_pb2.RosterEntriesCommitted(
                part_key=f"{self.roster_id}/{number}",
                roster_id=self.roster_id,
                county_code=self.county,
                part=number,
                entries=entries,
                version=1,
                part_count=len(cut),
                entry_count=len(self.entries),
                organisation_id=self.county,
                change_time=now,
            )
            for number, entries in enumerate(cut, 1)
        ]

    def begin(self) -> roster_events_pb2.RosterCommitted:
        return roster_events_pb2.RosterCommitted(
            roster_id=self.roster_id,
            organisation_id=self.county,
            county_code=self.county,
            entry_count=len(self.entries),
            part_count=len(self.parts()),
            version=1,
        )

    async def send(self, nats: NatsServer, *, backwards: bool = False) -> None:
        events = [
            (self.begin(), self.roster_id),
            *((part, part.part_key) for part in self.parts()),
        ]
        for event, key in reversed(events) if backwards else events:
            await publish(nats, event, key=key, version=1, county=self.county)


def entry(branch_id: str, member_id: str = "", **what: str) -> roster_pb2.RosterEntry:
    values: dict[str, str] = {
        "status": "FULL",
        "admitted_date": "1998-07-01",
        "confirmed_date": "1999-07-01",
        "occupation": "FARMER",
        **what,
    }
    return roster_pb2.RosterEntry(member_id=member_id or new_ulid(), branch_id=branch_id, row_number=3, **values)


async def applied(party: Party, roster: Roster) -> pb.RosterApplication:
    """Wait until the roster is applied, and say what became of it."""
    stub = roster_application_service_pb2_grpc.RosterApplicationServiceStub(party.branches.channel)
    found = pb.RosterApplication()

    async def done() -> bool:
        nonlocal found
        request = pb.GetRosterApplicationRequest(organisation_id=roster.county, roster_id=roster.roster_id)
        try:
            response = await stub.GetRosterApplication(request, metadata=party.as_account("account-province-admin"))
        except Exception:  # noqa: BLE001 - not begun yet
            return False
        found = response.application
        return found.done

    await wait_until(done, timeout_s=30)
    return found


def counts(application: pb.RosterApplication) -> tuple[int, int, int]:
    return application.applied_count, application.unchanged_count, application.conflict_count


async def conflicts(party: Party, roster: Roster) -> list[tuple[str, str, str]]:
    stub = roster_application_service_pb2_grpc.RosterApplicationServiceStub(party.branches.channel)
    listed = await stub.ListRosterConflicts(
        pb.ListRosterConflictsRequest(organisation_id=roster.county, roster_id=roster.roster_id),
        metadata=party.as_account(LINQU_ADMIN),
    )
    assert all(one.message for one in listed.conflicts)
    return [(one.member_id, one.reason, one.current_branch_id) for one in listed.conflicts]


async def test_a_roster_opens_records_and_repeating_it_changes_nothing(
    party: Party, nats: NatsServer, owner: asyncpg.Connection
) -> None:
    branch = await party.branch()
    first = Roster(entries=[entry(branch) for _ in range(7)], part_size=3)
    await first.send(nats, backwards=True)
    assert counts(await applied(party, first)) == (7, 0, 0)
    again = Roster(entries=first.entries, part_size=5)
    await again.send(nats)
    assert counts(await applied(party, again)) == (0, 7, 0)
    rows = await owner.fetch(
        """select r.status, r.confirmed_date::text, r.occupation, m.branch_id from member_record r
           join membership m using (member_id) where r.branch_id = $1""",
        branch,
    )
    assert [tuple(row) for row in rows] == [(5, "1999-07-01", 4, branch)] * 7
    said = await owner.fetchval("select payload from kit_outbox where key = $1", first.roster_id)
    assert isinstance(said, bytes)
    event = branches_events_pb2.RosterApplied.FromString(said)
    assert (event.applied_count, event.unchanged_count, event.conflict_count) == (7, 0, 0)


async def test_events_of_a_rosters_rows_say_so_and_nobody_is_told_of_each(
    party: Party, nats: NatsServer, owner: asyncpg.Connection
) -> None:
    branch, moved_to = await party.branch(), await party.branch()
    first = Roster(entries=[entry(branch) for _ in range(3)])
    await first.send(nats)
    await applied(party, first)
    second = Roster(entries=[entry(moved_to, one.member_id) for one in first.entries])
    await second.send(nats)
    await applied(party, second)
    began = branches_events_pb2.MembershipChanged
    rows = await owner.fetch(
        "select event_type, payload from kit_outbox where event_type = any($1)",
        [began.DESCRIPTOR.full_name, branches_events_pb2.MemberRecordChanged.DESCRIPTOR.full_name],
    )
    members = {one.member_id for one in first.entries}
    sources: list[int] = []
    for row in rows:
        kind = began if row["event_type"] == began.DESCRIPTOR.full_name else branches_events_pb2.MemberRecordChanged
        event = kind.FromString(row["payload"])
        if event.member_id in members and getattr(event, "active", True):
            sources.append(event.source)
    assert sources
    assert set(sources) == {membership_pb2.DECISION_SOURCE_ROSTER}


async def test_the_same_part_delivered_twice_counts_once(party: Party, nats: NatsServer) -> None:
    branch = await party.branch()
    roster = Roster(entries=[entry(branch) for _ in range(4)], part_size=2)
    first, second = roster.parts()
    for part in (first, first, second):
        # Each time as another event: only the part itself tells that it was there.
        await publish(nats, part, key=f"{part.part_key}/{new_ulid()}", version=1, county=roster.county)
    assert counts(await applied(party, roster)) == (4, 0, 0)


async def test_another_branch_of_the_county_is_a_move_and_further_dates_are_filled_in(
    party: Party, nats: NatsServer, owner: asyncpg.Connection
) -> None:
    old, new = await party.branch(), await party.branch()
    before = Roster(entries=[entry(old, status="PROBATIONARY", confirmed_date="")])
    await before.send(nats)
    await applied(party, before)
    member_id = before.entries[0].member_id
    after = Roster(entries=[entry(new, member_id)])
    await after.send(nats)
    assert counts(await applied(party, after)) == (1, 0, 0)
    rows = await owner.fetch(
        "select branch_id, end_reason from membership where member_id = $1 order by membership_id", member_id
    )
    assert [tuple(row) for row in rows] == [(old, 2), (new, None)]
    record = await owner.fetchrow(
        "select branch_id, status, confirmed_date::text, version from member_record where member_id = $1", member_id
    )
    assert record is not None
    assert tuple(record) == (new, 5, "1999-07-01", 2)
    history = await owner.fetch(
        "select status, source from member_decision where member_id = $1 order by decision_id", member_id
    )
    assert [tuple(row) for row in history] == [(4, 1), (5, 1)]


async def test_what_cannot_be_applied_is_said_row_by_row_and_the_others_are(party: Party, nats: NatsServer) -> None:
    here, there = await party.branch(), await party.branch("370781")
    (elsewhere,) = await party.people(there, 1)
    (full,) = await party.people(here, 1)
    fine = new_ulid()
    roster = Roster(
        entries=[
            entry(here, elsewhere.member_id),
            entry(here, full.member_id, status="PROBATIONARY", confirmed_date=""),
            entry(there),
            entry("370724-bnowhere"),
            entry(here, fine),
            entry(here, fine),
        ]
    )
    await roster.send(nats)
    assert counts(await applied(party, roster)) == (1, 0, 5)
    found = await conflicts(party, roster)
    assert sorted(reason for _, reason, _ in found) == [
        "MEMBER_ELSEWHERE",
        "ROSTER_BRANCH_UNKNOWN",
        "ROSTER_BRANCH_UNKNOWN",
        "ROSTER_MEMBER_TWICE",
        "ROSTER_STATUS_BEHIND",
    ]
    assert (elsewhere.member_id, "MEMBER_ELSEWHERE", there) in found
    assert (full.member_id, "ROSTER_STATUS_BEHIND", here) in found


async def test_an_empty_roster_is_done_at_once_and_others_do_not_see_it(party: Party, nats: NatsServer) -> None:
    roster = Roster(entries=[])
    await roster.send(nats)
    assert counts(await applied(party, roster)) == (0, 0, 0)
    stub = roster_application_service_pb2_grpc.RosterApplicationServiceStub(party.branches.channel)
    request = pb.GetRosterApplicationRequest(organisation_id="370781", roster_id=roster.roster_id)
    assert await outcome_of(
        stub.GetRosterApplication(request, metadata=party.as_account("account-province-admin"))
    ) == ("NOT_FOUND")


async def test_a_large_roster_is_applied_as_a_whole(party: Party, nats: NatsServer, owner: asyncpg.Connection) -> None:
    branches = [await party.branch() for _ in range(8)]
    roster = Roster(entries=[entry(branches[at % len(branches)]) for at in range(6000)])
    await roster.send(nats)
    assert counts(await applied(party, roster)) == (6000, 0, 0)
    held = await owner.fetchval("select count(*) from member_record where branch_id = any($1)", branches)
    assert held == 6000
