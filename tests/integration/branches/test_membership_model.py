"""A model of memberships and organisation changes, with concurrent writers, against a real PostgreSQL (A3, issue 4).

After every step queries look at all rows, whatever the policies say: exactly one physical branch for everybody present, in
no county or in several, and everything that hangs on it. Steps of one writer are also foretold by a model in memory.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from integration.branches.bare_tree import BOTH, LINQU, QINGZHOU, BareTree, today
from zhibu_branches.changes import Wish, perform
from zhibu_branches.committees.establishing import NewCommittee, establish_committee
from zhibu_branches.member_places import own_record
from zhibu_branches.memberships import (
    end_memberships,
    lock_branches,
    memberships_of,
    move_members,
    open_membership_in,
    physical_of,
    records_of,
    show_all_of,
)
from zhibu_branches.records import Document, record_decision
from zhibu_branches.rosters.applying import apply_rows
from zhibu_branches.rules.changes import ChangeKind
from zhibu_branches.rules.committees import Appointment, Post, Source
from zhibu_branches.rules.decisions import Decision
from zhibu_branches.rules.members import EndReason, MembershipKind, Occupation, PartyStatus, Standing
from zhibu_branches.rules.rosters import Row
from zhibu_branches.rules.tree import Level
from zhibu_branches.statistics import fold_tallies
from zhibu_branches.surveys.answers import state_answer
from zhibu_branches.surveys.counting import recount_due
from zhibu_kit.clock import SystemClock
from zhibu_kit.db import Database, Scope
from zhibu_kit.errors import ServiceError
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_stack.engines import Postgres

COUNTIES = (LINQU, QINGZHOU)
_DEADLOCK = "40P01"
T = TypeVar("T")


class World:
    """One database and its writers, in an event loop of their own beside Hypothesis."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.database: Database
        self.owner: asyncpg.Connection
        self.tree: BareTree

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=60)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def open(self, postgres: Postgres, maker: DatabaseMaker) -> None:
        made = await maker("branches")
        self.database = Database(made.app_url, service="branches")
        self.owner = await asyncpg.connect(postgres.dsn(made.name))
        self.tree = BareTree(self.database)
        await self.tree.begin()

    async def close(self) -> None:
        await self.database.close()
        await self.owner.close()

    # What writers do, each in a transaction of its own.

    async def transfer(self, member_id: str, branch_id: str) -> None:
        """Move a member to any branch, as a transfer will: both counties in the scope, branch before record."""
        now = datetime.now(UTC)
        async with self.database.transaction(BOTH) as transaction:
            target = (await lock_branches(transaction, [branch_id]))[branch_id]
            await records_of(transaction, [member_id], lock=True)
            held = await physical_of(transaction, [member_id])
            if held and held[0].branch_id != branch_id:
                await move_members(
                    transaction, held, target=target, reason=EndReason.TRANSFERRED, move_date=today(), now=now
                )

    async def roster(self, member_ids: list[str], branch_id: str) -> None:
        now = datetime.now(UTC)
        rows = [
            Row(
                member_id=member_id,
                row_number=number,
                branch_id=branch_id,
                status=PartyStatus.FULL,
                applied_date=None,
                admitted_date=None,
                confirmed_date=None,
                occupation=Occupation.RETIRED,
            )
            for number, member_id in enumerate(member_ids, 1)
        ]
        async with self.database.transaction(Scope.of(branch_id[:6])) as transaction:
            await apply_rows(transaction, rows, roster_id=new_ulid(), county_code=branch_id[:6], today=today(), now=now)

    async def leave(self, member_id: str, branch_id: str) -> None:
        now = datetime.now(UTC)
        async with self.database.transaction(BOTH) as transaction:
            await records_of(transaction, [member_id], lock=True)
            held = await open_membership_in(transaction, member_id, branch_id)
            if held is not None:
                await end_memberships(transaction, [held], end_date=today(), reason=EndReason.WITHDREW, now=now)

    async def die(self, member_id: str) -> None:
        now = datetime.now(UTC)
        async with self.database.transaction(Scope.of(*COUNTIES)) as transaction:
            record = await show_all_of(transaction, member_id)
            await record_decision(
                transaction,
                record,
                Decision(decision_date=today(), standing=Standing.DIED, has_document=True),
                document=Document(number="1", made_by_member_id=""),
                today=today(),
                now=now,
            )

    async def answer(self, member_id: str) -> None:
        async with self.database.transaction(BOTH) as transaction:
            record = await own_record(transaction, member_id)
            await state_answer(
                transaction, record, has_device=True, has_network=bool(record.version % 2), now=datetime.now(UTC)
            )

    async def appoint(self, branch_id: str, member_id: str) -> None:
        new = NewCommittee(
            appointments=(Appointment(member_id=member_id, post=Post.SECRETARY),),
            start_date=today(),
            document_number="1",
            source=Source.ELECTION,
        )
        async with self.database.transaction(BOTH) as transaction:
            await establish_committee(transaction, branch_id, new, etag=None, now=datetime.now(UTC))

    async def without_branch(self, member_id: str) -> None:
        """A fault of ours: a physical membership ends and nothing follows. The database must refuse it."""
        now = datetime.now(UTC)
        async with self.database.transaction(BOTH) as transaction:
            held = [one for one in await memberships_of(transaction, member_id) if one.kind is MembershipKind.PHYSICAL]
            await end_memberships(transaction, held, end_date=today(), reason=EndReason.MOVED, now=now)

    async def change(
        self, kind: ChangeKind, organisation_id: str, target_id: str = "", member_ids: tuple[str, ...] = ()
    ) -> str:
        now = datetime.now(UTC)
        wish = Wish(
            kind=kind,
            organisation_id=organisation_id,
            target_id=target_id,
            new_name=f"组织{new_ulid()}" if kind in (ChangeKind.RENAME, ChangeKind.SPLIT) else "",
            member_ids=member_ids,
            every_member=False,
        )
        async with self.database.transaction(Scope.of(organisation_id[:6])) as transaction:
            return (await perform(transaction, wish, now=now)).target_id


@dataclass
class Model:
    """What one writer after the other leads to."""

    townships: list[str] = field(default_factory=list[str])
    physical: list[str] = field(default_factory=list[str])
    virtual: list[str] = field(default_factory=list[str])
    members: list[str] = field(default_factory=list[str])


# Set by the fixture: Hypothesis makes the machines itself.
_world: World


# What one writer does is drawn as numbers, whatever there is to choose from by then.
_CHOICES = st.tuples(*[st.integers(0, 99)] * 6)


class Memberships(RuleBasedStateMachine):
    """Writers of two counties."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        # Where the single-writer steps say that each member is; None after concurrent ones, until looked up.
        self.home: dict[str, str | None] = {}
        self.clubs: dict[str, set[str]] = {}

    @initialize()
    def begin(self) -> None:
        for county in COUNTIES:
            self.model.townships.append(_world.run(_world.tree.create(county, Level.TOWNSHIP)))
            for _ in range(2):
                self.model.physical.append(_world.run(_world.tree.create(county, Level.BRANCH)))
            self.model.virtual.append(_world.run(_world.tree.create(county, Level.BRANCH, virtual=True)))
        for branch_id in self.model.physical:
            self._take_up(branch_id)
            self._take_up(branch_id)

    def _take_up(self, branch_id: str) -> None:
        member_id = new_ulid()
        _world.run(_world.tree.take_up(member_id, branch_id))
        self.model.members.append(member_id)
        self.home[member_id] = branch_id
        self.clubs[member_id] = set()

    def _present(self) -> list[str]:
        return [member_id for member_id in self.model.members if self.home[member_id] is not None]

    @rule(at=st.integers(0, 99))
    def somebody_is_taken_up(self, at: int) -> None:
        self._take_up(_pick(self.model.physical, at))

    @rule(who=st.integers(0, 99), at=st.integers(0, 99))
    def somebody_is_transferred(self, who: int, at: int) -> None:
        if not self._present():
            return
        member_id, branch_id = _pick(self._present(), who), _pick(self.model.physical, at)
        _world.run(_world.transfer(member_id, branch_id))
        self.home[member_id] = branch_id

    @rule(who=st.integers(0, 99), at=st.integers(0, 99))
    def somebody_joins_a_virtual_branch(self, who: int, at: int) -> None:
        if not self._present():
            return
        member_id, branch_id = _pick(self._present(), who), _pick(self.model.virtual, at)
        if branch_id in self.clubs[member_id]:
            assert _world.run(_reason_of(_world.tree.join(member_id, branch_id))) == "ALREADY_MEMBER"
            return
        _world.run(_world.tree.join(member_id, branch_id))
        self.clubs[member_id].add(branch_id)

    @rule(who=st.integers(0, 99), at=st.integers(0, 99))
    def somebody_leaves_a_virtual_branch(self, who: int, at: int) -> None:
        if not self._present():
            return
        member_id, branch_id = _pick(self._present(), who), _pick(self.model.virtual, at)
        _world.run(_world.leave(member_id, branch_id))
        self.clubs[member_id].discard(branch_id)

    @rule(who=st.integers(0, 99))
    def somebody_dies(self, who: int) -> None:
        if not self._present():
            return
        member_id = _pick(self._present(), who)
        _world.run(_world.die(member_id))
        self.home[member_id] = None
        self.clubs[member_id] = set()

    @rule(who=st.integers(0, 99))
    def a_faulty_writer_is_refused(self, who: int) -> None:
        if not self._present():
            return
        assert _world.run(_reason_of(_world.without_branch(_pick(self._present(), who)))) == "IntegrityError"

    @rule(at=st.integers(0, 99), to=st.integers(0, 99), virtual=st.booleans())
    def a_branch_is_merged(self, at: int, to: int, virtual: bool) -> None:
        branches = self.model.virtual if virtual else self.model.physical
        gone, stays = _pick(branches, at), _pick(branches, to)
        refusal = _world.run(_reason_of(_world.change(ChangeKind.MERGE, gone, stays)))
        if gone == stays:
            assert refusal == "CHANGE_INTO_ITSELF"
        elif gone[:6] != stays[:6]:
            # The other county is not even in the scope.
            assert refusal in {"CHANGE_ANOTHER_COUNTY", "NOT_FOUND"}
        else:
            assert refusal == "OK"
            branches.remove(gone)
            for member_id, home in self.home.items():
                if home == gone:
                    self.home[member_id] = stays
            for clubs in self.clubs.values():
                if gone in clubs:
                    clubs.remove(gone)
                    clubs.add(stays)
            self._replace(branches, gone, virtual=virtual)

    @rule(at=st.integers(0, 99))
    def a_branch_moves(self, at: int) -> None:
        branch_id = _pick(self.model.physical, at)
        township = next(one for one in self.model.townships if one[:6] == branch_id[:6])
        refusal = _world.run(_reason_of(_world.change(ChangeKind.MOVE, branch_id, township)))
        if refusal == "CHANGE_STANDS_THERE":
            _world.run(_world.change(ChangeKind.MOVE, branch_id, branch_id[:6]))

    @rule(who=st.integers(0, 99))
    def a_branch_is_split(self, who: int) -> None:
        if not self._present():
            return
        member_id = _pick(self._present(), who)
        branch_id = self.home[member_id]
        assert branch_id is not None
        if list(self.home.values()).count(branch_id) < 2:
            return
        made = _world.run(_world.change(ChangeKind.SPLIT, branch_id, member_ids=(member_id,)))
        self.home[member_id] = made
        self.model.physical.append(made)

    @rule(rounds=st.lists(st.lists(_CHOICES, min_size=2, max_size=5), min_size=1, max_size=4))
    def writers_meet(self, rounds: list[list[tuple[int, ...]]]) -> None:
        """Several writers at once, about the same few members and branches; then the rows tell who won."""
        for writers in rounds:
            work = [self._writer(choices) for choices in writers]
            for outcome in _world.run(_together(work)):
                # Refused by a rule, and never by a deadlock. (On a machine that does nothing for seconds a lock may be waited
                # for in vain; a deadlock is found long before that.)
                assert not isinstance(outcome, BaseException) or isinstance(outcome, ServiceError), repr(outcome)
                assert not isinstance(outcome, ServiceError) or _state_of(outcome) != _DEADLOCK
            self._look_up()
            self.everybody_present_has_exactly_one_physical_branch()

    def _writer(self, choices: tuple[int, ...]) -> Coroutine[Any, Any, object]:
        """One writer about a county's few branches; the members come from both counties."""
        in_county, who, at, to, act, online = choices
        county = _pick([*COUNTIES], in_county)
        physical = [one for one in self.model.physical if one[:6] == county][-3:]
        virtual = [one for one in self.model.virtual if one[:6] == county][-2:]
        township = next(one for one in self.model.townships if one[:6] == county)
        members = self._present()[-4:] or self.model.members[-1:]
        member_id, branch_id = _pick(members, who), _pick(physical, at)
        other = _pick([one for one in physical if one != branch_id] or physical, to)
        match act % 14:
            case 0 | 1:
                return _world.transfer(member_id, branch_id)
            case 2:
                return _world.roster(members, branch_id)
            case 3:
                return _world.tree.join(member_id, _pick(virtual, online))
            case 4:
                return _world.leave(member_id, _pick(virtual, online))
            case 5:
                return _world.die(member_id)
            case 6:
                return _world.change(ChangeKind.MERGE, branch_id, other)
            case 7:
                return _world.change(ChangeKind.DISSOLVE, branch_id, other)
            case 8:
                return _world.change(ChangeKind.SPLIT, self.home[member_id] or branch_id, member_ids=(member_id,))
            case 9:
                return _world.change(ChangeKind.MOVE, branch_id, township)
            case 10:
                return _world.answer(member_id)
            case 11:
                return recount_due(_world.database, SystemClock())
            case 12:
                return _world.appoint(self.home[member_id] or branch_id, member_id)
            case _:
                return fold_tallies(_world.database)

    def _look_up(self) -> None:
        """Take the model from the rows, after steps whose outcome nobody can foretell."""
        rows = _world.run(
            _world.owner.fetch("select organisation_id, virtual, active from organisation where level = 5 order by 1")
        )
        mine = {*self.model.physical, *self.model.virtual}
        known = {row["organisation_id"]: row for row in rows}
        successors = [row for row in rows if row["organisation_id"] not in mine and row["active"]]
        self.model.physical = [one for one in self.model.physical if known[one]["active"]]
        self.model.virtual = [one for one in self.model.virtual if known[one]["active"]]
        held = _world.run(
            _world.owner.fetch("select member_id, branch_id, kind from membership where end_date is null")
        )
        for member_id in self.model.members:
            self.home[member_id] = next(
                (row["branch_id"] for row in held if row["member_id"] == member_id and row["kind"] == 1), None
            )
            self.clubs[member_id] = {
                row["branch_id"] for row in held if row["member_id"] == member_id and row["kind"] == 2
            }
        homes = {home for home in self.home.values() if home is not None}
        self.model.physical += [
            row["organisation_id"] for row in successors if row["organisation_id"] in homes and not row["virtual"]
        ]
        for county in COUNTIES:
            for virtual in (False, True):
                branches = self.model.virtual if virtual else self.model.physical
                if not any(one[:6] == county for one in branches):
                    branches.append(_world.run(_world.tree.create(county, Level.BRANCH, virtual=virtual)))

    def _replace(self, branches: list[str], gone: str, *, virtual: bool) -> None:
        if not any(one[:6] == gone[:6] for one in branches):
            branches.append(_world.run(_world.tree.create(gone[:6], Level.BRANCH, virtual=virtual)))

    @invariant()
    def everybody_present_has_exactly_one_physical_branch(self) -> None:
        for query, meaning in INVARIANTS.items():
            broken = _world.run(_world.owner.fetch(query))
            assert not broken, f"{meaning}: {[tuple(row) for row in broken[:3]]}"

    @invariant()
    def the_rows_are_what_the_model_says(self) -> None:
        held = _world.run(
            _world.owner.fetch(
                """select member_id, branch_id, kind from membership
                   where end_date is null and member_id = any($1)""",
                self.model.members,
            )
        )
        found: dict[str, tuple[str | None, set[str]]] = {member_id: (None, set()) for member_id in self.model.members}
        for row in held:
            home, clubs = found[row["member_id"]]
            if row["kind"] == MembershipKind.PHYSICAL:
                assert home is None
                found[row["member_id"]] = (row["branch_id"], clubs)
            else:
                clubs.add(row["branch_id"])
        assert found == {member_id: (self.home[member_id], self.clubs[member_id]) for member_id in self.model.members}


# Each finds nothing as long as what it stands for holds.
INVARIANTS = {
    """select r.member_id, count(m.*) from member_record r
       left join membership m on m.member_id = r.member_id and m.kind = 1 and m.end_date is null
       group by r.member_id, r.standing having count(m.*) <> case when r.standing = 1 then 1 else 0 end
    """: "exactly one physical branch, none when the record ended",
    """select m.member_id from membership m join member_record r using (member_id)
       where m.kind = 1 and m.end_date is null and (m.branch_id, m.county_code) <> (r.branch_id, r.county_code)
    """: "the record names the physical branch",
    """select m.membership_id from membership m join organisation o on o.organisation_id = m.branch_id
       where m.end_date is null and (not o.active or o.level <> 5 or o.virtual <> (m.kind = 2)
         or o.county_code <> m.county_code)
    """: "members are in active branches of the right kind and county",
    """select r.member_id from member_record r
       left join membership m on m.member_id = r.member_id and m.kind = 2 and m.end_date is null
       group by r.member_id, r.virtual_count having count(m.*) <> r.virtual_count
    """: "virtual memberships are counted",
    """select place, sum(difference) from (
         select organisation_id as place, count as difference from tally where dimension = 'status'
         union all select branch_id, -1 from member_record where standing = 1
         union all select county_code, -1 from member_record where standing = 1
       ) as every group by place having sum(difference) <> 0
    """: "the counts of statistics are those of the records",
    """select county, virtual, sum(difference) from (
         select county_code as county, key = 'virtual' as virtual, count as difference from tally
           where dimension = 'branch' and key <> 'online'
         union all select county_code, virtual, -1 from organisation where level = 5 and active
       ) as every group by 1, 2 having sum(difference) <> 0
    """: "the counts of branches are those of the tree",
    """select o.organisation_id from organisation o join organisation p on p.organisation_id = o.parent_id
       where o.ancestor_ids <> p.ancestor_ids || p.organisation_id or (o.active and not p.active)
    """: "the way up leads through parents that are there",
    """select post_id from committee_post p left join membership m
         on m.member_id = p.member_id and m.branch_id = p.branch_id and m.end_date is null
       where p.end_date is null and m.member_id is null
    """: "posts are held by members of the branch",
    """select organisation_id from kit_organisation k join organisation o using (organisation_id)
       where (k.parent_id, k.active, k.version) is distinct from (coalesce(o.parent_id, ''), o.active, o.version)
    """: "access is judged by the tree as it stands",
    """select organisation_id, count(*) from organisation_version v join organisation o using (organisation_id)
       where v.end_date is null group by organisation_id having count(*) <> 1
    """: "one version of each organisation holds now",
    """select kind, sum(difference) from (
         select 'MembershipChanged' as kind, version as difference from membership
         union all select 'MemberRecordChanged', version from member_record
         union all select split_part(event_type, '.', 4), -1 from kit_outbox
       ) as every where kind in ('MembershipChanged', 'MemberRecordChanged') group by kind having sum(difference) <> 0
    """: "each change was told once",
}


def _pick(some: list[str], at: int) -> str:
    return some[at % len(some)]


def _state_of(error: ServiceError) -> str:
    """What PostgreSQL said, when it is behind a refusal; SQLAlchemy wraps it, and raw statements do not."""
    cause = error.__cause__
    return getattr(getattr(cause, "orig", cause), "sqlstate", None) or ""


async def _together(work: list[Coroutine[Any, Any, object]]) -> list[object | BaseException]:
    return await asyncio.gather(*work, return_exceptions=True)


async def _reason_of(work: Coroutine[Any, Any, object]) -> str:
    try:
        await work
    except ServiceError as error:
        return error.reason
    except Exception as error:  # noqa: BLE001 - its name is the outcome
        return type(error).__name__
    return "OK"


@pytest.fixture(scope="module")
def world(postgres: Postgres, service_database: DatabaseMaker) -> Generator[World]:
    global _world  # noqa: PLW0603 - Hypothesis makes the machines itself
    _world = World()
    try:
        _world.run(_world.open(postgres, service_database))
        yield _world
        _world.run(_world.close())
    finally:
        _world.stop()


def test_every_member_has_exactly_one_physical_branch_whatever_writers_do(world: World) -> None:
    machine = Memberships.TestCase
    machine.settings = settings(
        max_examples=12,
        stateful_step_count=18,
        deadline=None,
        # Who wins a race is not the same when it is run again: nothing is replayed or made smaller.
        phases=[Phase.generate],
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    machine().runTest()
    deadlocks = world.run(
        world.owner.fetchval("select deadlocks from pg_stat_database where datname = current_database()")
    )
    assert deadlocks == 0
