"""Feeds rows again from a copy of the log: its own directory, a copy of it, or what somebody serves."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from zhibu_kit.db import Database, Role, Transaction
from zhibu_kit.scope import Scope
from zhibu_tlog.checkpoints import SignedCheckpoint, open_checkpoint
from zhibu_tlog.hashes import hash_leaf
from zhibu_tlog.keys import VerifierKey
from zhibu_tlog.reader import LogReader
from zhibu_tlog.right_edge import RightEdge
from zhibu_tlog.tiles import list_bundles

from zhibu_audit.arrivals import entry_of_leaf
from zhibu_audit.chains import Link, after_incident, follows, read_leaf
from zhibu_audit.lane_states import LaneState, ask_for_rows, lock_lane, save_lane
from zhibu_audit.leaf_rows import iterate_leaves
from zhibu_audit.leaves import INCIDENT, ORIGIN, ROW, canonical
from zhibu_audit.origins import Origin
from zhibu_audit.places import NewEntry, get_head, give_places


class CopyRefusedError(Exception):
    """The copy cannot be fed; the text is one sentence for the operator."""


class Feeder:
    """Feeds the rows of one log."""

    def __init__(self, database: Database, origin: Origin, key: VerifierKey) -> None:
        """Feed the log of an origin, signed by a key."""
        self._database = database
        self._origin = origin
        self._key = key

    async def check(self, reader: LogReader) -> SignedCheckpoint:
        """Read a whole copy, and see that it is signed, that its root is right, and that the rows are its beginning.

        Raises:
            CopyRefusedError: when it cannot be fed.
            LogFileMissingError, MalformedError, NoteRefusedError, OSError: when it cannot be read.
        """
        data = await asyncio.to_thread(reader.read_checkpoint)
        signed = open_checkpoint(data, origin=self._origin.name, keys=[self._key])
        size, first = signed.checkpoint.size, self._origin.first_index
        row_count = await self._row_count()
        if size < row_count:
            raise CopyRefusedError(f"The copy has {size} entries, and the database {row_count} already.")
        edge, ours, at = RightEdge(), iterate_leaves(self._database, first, first + row_count), 0
        pending: list[bytes] = []
        for bundle in list_bundles(size):
            leaves = await asyncio.to_thread(reader.read_bundle, bundle)
            edge.append(map(hash_leaf, leaves))
            while len(pending) < min(len(leaves), row_count - at):
                pending += await anext(ours)
            count = min(len(leaves), row_count - at)
            if leaves[:count] != pending[:count]:
                raise CopyRefusedError(f"The copy contradicts the database between entries {at} and {at + count}.")
            pending, at = pending[count:], at + count
        if edge.root != signed.checkpoint.root:
            raise CopyRefusedError("The entries of the copy do not make the root that is signed.")
        return signed

    async def feed(self, reader: LogReader, size: int, *, now: datetime) -> int:
        """Feed what the rows lack of a copy that was checked, up to a size; return how many entries that were.

        Raises:
            CopyRefusedError: when an entry does not continue its lane; what came before it stays.
            LogFileMissingError, MalformedError, OSError: when it cannot be read.
        """
        begun = await self._row_count()
        asked: dict[str, int] = {}
        for bundle in list_bundles(size):
            first = bundle.index * 256
            if first + bundle.width <= begun:
                continue
            leaves = await asyncio.to_thread(reader.read_bundle, bundle)
            async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
                at = (await get_head(transaction)).size - self._origin.first_index
                if first <= at < first + len(leaves):
                    await self._feed_leaves(transaction, leaves[at - first :], asked, now=now)
        async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            for lane, sequence in asked.items():
                # Whom the rows are about stands in no copy of the log.
                state = await lock_lane(transaction, lane, now=now)
                version = ask_for_rows(transaction, lane, from_sequence=sequence, version=state.asked_version, now=now)
                await save_lane(transaction, replace(state, asked_version=version))
        return await self._row_count() - begun

    async def _feed_leaves(
        self, transaction: Transaction, leaves: Sequence[bytes], asked: dict[str, int], *, now: datetime
    ) -> None:
        states: dict[str, LaneState] = {}
        entries: list[NewEntry] = []
        for leaf in leaves:
            content = read_leaf(leaf)
            entry = _entry(leaf, content)
            if entry.lane:
                state = states.get(entry.lane) or await lock_lane(transaction, entry.lane, now=now)
                link = _next_link(state.link, content)
                seen = max(state.seen_sequence, link.sequence) if content["kind"] == ROW else link.sequence
                states[entry.lane] = replace(state, link=link, seen_sequence=seen, updated_at=now)
                asked.setdefault(entry.lane, link.sequence)
            entries.append(entry)
        await give_places(transaction, entries)
        for state in states.values():
            await save_lane(transaction, state)

    async def _row_count(self) -> int:
        async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            return (await get_head(transaction)).size - self._origin.first_index


def _next_link(link: Link, content: dict[str, Any]) -> Link:
    if content["kind"] == INCIDENT:
        return after_incident(content)
    sequence, chain = int(content["row"]["sequence"]), bytes.fromhex(content["chain"])
    if not follows(link, sequence=sequence, row=canonical(content["row"]), chain=chain):
        raise CopyRefusedError(f"Row {sequence} of {content['lane']} does not continue its lane.")
    return Link(sequence=sequence, chain=chain)


def _entry(leaf: bytes, content: dict[str, Any]) -> NewEntry:
    if content["kind"] == ROW:
        return entry_of_leaf(leaf, content["row"], lane=content["lane"])
    return NewEntry(
        kind=content["kind"],
        lane="" if content["kind"] == ORIGIN else content["lane"],
        sequence=content.get("to_sequence", 0),
        leaf=leaf,
        action=f"log.{content['kind']}",
        outcome="done",
        account_id="",
        member_id=content["second_signed_by"],
        organisation_id="",
        county_codes="",
        subject_id=content["incident_id"],
        request_id="",
        occurred_at=datetime.fromisoformat(content["at"]),
    )
