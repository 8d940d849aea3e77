"""Takes rows into the log: verdicts, places, incidents and askings of one lane, all in one transaction."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from zhibu_kit.clock import Clock
from zhibu_kit.db import Database, Role, Transaction
from zhibu_kit.scope import Scope

from zhibu_audit.arrivals import Arrival, entry_of
from zhibu_audit.chains import Link, read_leaf
from zhibu_audit.incidents import CONFLICT, GAP, Incident, fed, find_open_incident, open_incident, save_incident
from zhibu_audit.lane_states import LaneState, ask_for_rows, lock_lane, save_lane
from zhibu_audit.places import NewEntry, Opening, add_openings, get_head, give_places
from zhibu_audit.rules import GoingOn, Verdict, Walk, Walker, after_gap, ask_after_s

# A row that contradicts may be the last of several: rows before it are asked for too.
LOOK_BACK: Final = 1000
_LOGGED: Final = """
select sequence, entry_index, leaf from entry
where kind = 'row' and lane = $1 and sequence = any ($2::bigint[]) order by entry_index"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of the rows, in their order, and whether rows are missing; None while nothing is taken at all."""

    verdicts: Sequence[Verdict] | None
    placed: int
    waits: bool


class Taker:
    """Takes rows of any lane."""

    def __init__(self, database: Database, clock: Clock, *, gap_s: float, judged: asyncio.Event) -> None:
        """Take into a database; rows that are missing for `gap_s` become an incident.

        Nothing is taken before `judged` is set: a restored database would give rows the places of others.
        """
        self._judged = judged
        self._database = database
        self._clock = clock
        self._gap = timedelta(seconds=gap_s)

    async def take(self, lane: str, arrivals: Sequence[Arrival], *, ask: bool = False) -> Taken:
        """Take rows, in any order; `ask` has the service asked for what comes next, whether anything is known to be missing.

        Raises:
            ServiceError: UNAVAILABLE while the database is away; then nothing was taken.
        """
        if not self._judged.is_set():
            return Taken(verdicts=None, placed=0, waits=True)
        now = self._clock.now()
        async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            if (await get_head(transaction)).stopped_because:
                return Taken(verdicts=None, placed=0, waits=True)
            state = await lock_lane(transaction, lane, now=now)
            incident = await find_open_incident(transaction, lane) if state.incident_id else None
            order = sorted(range(len(arrivals)), key=lambda at: arrivals[at].row.sequence)
            sorted_arrivals = [arrivals[at] for at in order]
            logged = await _logged(transaction, state, sorted_arrivals)
            walk = _walk(state, sorted_arrivals, logged, incident)
            placed = await _place(transaction, sorted_arrivals, walk, logged)
            moved = _moved(state, sorted_arrivals, walk, now=now)
            if incident is not None and _is_fed(incident, walk, before=state.link):
                await save_incident(transaction, fed(incident, now=now), now=now)
                incident, moved = None, replace(moved, incident_id=None, stopped_at=None)
            incident, state = await self._settle(transaction, moved, walk, incident, now=now)
            state = _asked(transaction, state, incident, ask=ask, now=now)
            await save_lane(transaction, state)
        verdicts = [Verdict.AHEAD] * len(arrivals)
        for at, verdict in zip(order, walk.verdicts, strict=True):
            verdicts[at] = verdict
        return Taken(verdicts=verdicts, placed=placed, waits=state.stopped_at is not None)

    async def _settle(
        self, transaction: Transaction, state: LaneState, walk: Walk, incident: Incident | None, *, now: datetime
    ) -> tuple[Incident | None, LaneState]:
        """Open the lane's incident, or let it say what is known now; and note since when the lane waits."""
        kind, going_on = CONFLICT, _conflict_of(walk, incident)
        if going_on is None and (incident is None or incident.kind == GAP):
            kind, going_on = GAP, self._gap_of(state, incident, now=now)
        if going_on is not None:
            incident = await open_incident(transaction, kind=kind, lane=state.lane, going_on=going_on, now=now)
        waits = incident is not None or state.is_behind
        return incident, replace(
            state,
            incident_id=incident.incident_id if incident else None,
            stopped_at=(state.stopped_at or now) if waits else None,
        )

    def _gap_of(self, state: LaneState, incident: Incident | None, *, now: datetime) -> GoingOn | None:
        """Say what is missing, once it has been for long enough and what comes after it is known."""
        if state.ahead_sequence <= state.link.sequence + 1:
            return None
        overdue = state.stopped_at is not None and now - state.stopped_at >= self._gap
        if incident is None and not overdue:
            return None
        return after_gap(state.link, ahead_sequence=state.ahead_sequence, ahead_chain=state.ahead_chain)


def _asked(
    transaction: Transaction, state: LaneState, incident: Incident | None, *, ask: bool, now: datetime
) -> LaneState:
    """Ask the service for rows when it is time, and return the lane with that noted."""
    since = state.asked_at if state.asked_count else state.stopped_at
    due = state.stopped_at and since and now - since >= timedelta(seconds=ask_after_s(state.asked_count))
    if not ask and not due:
        return state
    wanted = state.link.sequence + 1
    if incident is not None and incident.kind == CONFLICT:
        wanted = min(wanted, incident.from_sequence - LOOK_BACK)
    version = ask_for_rows(transaction, state.lane, from_sequence=wanted, version=state.asked_version, now=now)
    return replace(state, asked_version=version, asked_count=state.asked_count + 1, asked_at=now)


async def _logged(
    transaction: Transaction, state: LaneState, arrivals: Sequence[Arrival]
) -> dict[int, list[tuple[int, bytes]]]:
    """Return what the log has under the numbers of these rows, and under those before them: place and leaf."""
    numbers = {arrival.row.sequence for arrival in arrivals if arrival.row.sequence <= state.link.sequence}
    logged: dict[int, list[tuple[int, bytes]]] = {}
    if numbers:
        wanted = sorted(numbers | {number - 1 for number in numbers})
        for record in await (await transaction.raw()).fetch(_LOGGED, state.lane, wanted):
            logged.setdefault(record["sequence"], []).append((record["entry_index"], record["leaf"]))
    return logged


def _walk(
    state: LaneState,
    arrivals: Sequence[Arrival],
    logged: dict[int, list[tuple[int, bytes]]],
    incident: Incident | None,
) -> Walk:
    contradicted = incident is not None and incident.kind == CONFLICT
    held_at = incident.from_sequence if incident and contradicted else None
    walker = Walker(
        link=state.link,
        logged={number: [leaf for _, leaf in leaves] for number, leaves in logged.items()},
        chains={number: bytes.fromhex(read_leaf(leaves[-1][1])["chain"]) for number, leaves in logged.items()},
        held_at=held_at if held_at is not None and held_at <= state.link.sequence else None,
    )
    return walker.walk([arrival.row for arrival in arrivals])


async def _place(
    transaction: Transaction,
    arrivals: Sequence[Arrival],
    walk: Walk,
    logged: dict[int, list[tuple[int, bytes]]],
) -> int:
    """Give the next rows their places, and keep the openings of all that are in the log; return how many are new."""
    new: list[NewEntry] = []
    at_of: dict[int, int] = {}
    for arrival, verdict in zip(arrivals, walk.verdicts, strict=True):
        if verdict is Verdict.NEXT:
            at_of[arrival.row.sequence] = len(new)
            new.append(entry_of(arrival.row))
    first = await give_places(transaction, new) if new else 0
    openings: list[Opening] = []
    for arrival, verdict in zip(arrivals, walk.verdicts, strict=True):
        if verdict not in {Verdict.NEXT, Verdict.KNOWN} or not arrival.message.subjects:
            continue
        sequence = arrival.row.sequence
        if sequence in at_of:
            index = first + at_of[sequence]
        else:
            index = next(place for place, leaf in logged[sequence] if leaf == arrival.row.leaf)
        openings += _openings(arrival, index)
    await add_openings(transaction, openings)
    return len(new)


def _openings(arrival: Arrival, index: int) -> list[Opening]:
    counties = entry_of(arrival.row).county_codes
    return [
        Opening(
            entry_index=index,
            commitment=subject.commitment,
            subject_id=subject.subject_id,
            salt=subject.salt,
            county_codes=counties,
        )
        for subject in arrival.message.subjects
    ]


def _moved(state: LaneState, arrivals: Sequence[Arrival], walk: Walk, *, now: datetime) -> LaneState:
    """Return a lane after its rows were walked through."""
    moved = walk.link != state.link
    if moved:
        state = replace(state, link=walk.link, stopped_at=None, asked_count=0, asked_at=None, updated_at=now)
    ahead = [(state.ahead_sequence, state.ahead_chain)] if state.ahead_sequence > state.link.sequence else []
    waiting = (
        arrival.row
        for arrival, verdict in zip(arrivals, walk.verdicts, strict=True)
        if verdict is Verdict.AHEAD and arrival.row.sequence > state.link.sequence
    )
    ahead += [(row.sequence, row.chain) for row in waiting]
    ahead_sequence, ahead_chain = min(ahead, default=(0, b""))
    seen = max((arrival.row.sequence for arrival in arrivals), default=0)
    return replace(
        state,
        ahead_sequence=ahead_sequence,
        ahead_chain=ahead_chain,
        seen_sequence=max(state.seen_sequence, seen, state.link.sequence),
    )


def _is_fed(incident: Incident, walk: Walk, *, before: Link) -> bool:
    """Say whether the rows of an incident came after all."""
    if walk.conflict is not None:
        return False
    if incident.kind == GAP:
        return walk.link.sequence >= incident.to_sequence
    return walk.freed or before.sequence < incident.from_sequence <= walk.link.sequence


def _conflict_of(walk: Walk, incident: Incident | None) -> GoingOn | None:
    """Return the contradiction that is to be told: of several the lowest."""
    if walk.conflict is None:
        return None
    told = incident is not None and incident.kind == CONFLICT and incident.from_sequence <= walk.conflict.from_sequence
    return None if told else walk.conflict
