"""Decides what becomes of a log that is opened: rows, directory and witnesses are compared, because any of them may have been restored."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from sqlalchemy import update
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database, Role
from zhibu_kit.scope import Scope
from zhibu_tlog.checkpoints import SignedCheckpoint
from zhibu_tlog.keys import VerifierKey
from zhibu_tlog.proofs import read_root
from zhibu_tlog.tile_hashes import TileHashes
from zhibu_tlog.tiles import TILE_WIDTH, find_bundle

from zhibu_audit import models
from zhibu_audit.feeding import CopyRefusedError, Feeder
from zhibu_audit.incidents import WHOLE_LOG, find_open_incident
from zhibu_audit.leaf_rows import read_leaves, root_of_rows
from zhibu_audit.origins import Origin
from zhibu_audit.places import get_head
from zhibu_audit.rules import Restored, judge_restored
from zhibu_audit.stopping import Contradiction, let_log_go_on, stop_log
from zhibu_audit.tree import Tree
from zhibu_audit.witnesses import Away, WitnessClient

log = logging.getLogger("zhibu.audit.restoring")

# Witnesses that do not answer at once are asked again before the log goes on without them.
ASKED_TIMES: Final = 10
ASK_AGAIN_S: Final = 1.0
FEEDING: Final = "the rows are fed again from the directory of the log"


class Restorer:
    """Judges a log each time that it is opened."""

    def __init__(
        self, database: Database, clock: Clock, *, origin: Origin, key: VerifierKey, witnesses: Sequence[WitnessClient]
    ) -> None:
        """Judge the log of an origin."""
        self._database = database
        self._clock = clock
        self._origin = origin
        self._key = key
        self._witnesses = witnesses

    async def judge(self, tree: Tree) -> bool:
        """Return whether the log may go on; rows that lie behind the directory are fed again first."""
        contradiction = await self._compare(tree)
        now = self._clock.now()
        async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            if contradiction is not None:
                await stop_log(transaction, contradiction, now=now)
            else:
                await let_log_go_on(transaction, now=now)
        return contradiction is None

    async def what_it_says(self, witness: WitnessClient, tree: Tree) -> Contradiction | None:
        """Return what a witness can show against the log as it is now: both have signed it."""
        signed = await witness.find_checkpoint(self._origin.name, [self._key])
        return await self._against(signed, tree) if isinstance(signed, SignedCheckpoint) else None

    async def _compare(self, tree: Tree) -> Contradiction | None:
        cosigned = await self._cosigned()
        row_count, told = await self._look()
        sizes = [*(signed.checkpoint.size for signed in cosigned), told]
        match judge_restored(row_count=row_count, tree_size=tree.size, cosigned_sizes=sizes):
            case Restored.STOP:
                return _behind(max(row_count, tree.size), max(sizes), cosigned)
            case Restored.FEED_ROWS:
                contradiction = await self._feed(tree)
            case Restored.GOES_ON:
                contradiction = await self._overlap(tree, row_count)
        for signed in cosigned:
            contradiction = contradiction or await self._against(signed, tree)
        return contradiction

    async def _cosigned(self) -> list[SignedCheckpoint]:
        """Ask every witness for what it has cosigned last; who does not answer after some tries says nothing."""
        found: list[SignedCheckpoint] = []
        unasked = list(self._witnesses)
        for attempt in range(ASKED_TIMES):
            if attempt and unasked:
                await asyncio.sleep(ASK_AGAIN_S)
            answers = await asyncio.gather(
                *(witness.find_checkpoint(self._origin.name, [self._key]) for witness in unasked)
            )
            found += [answer for answer in answers if isinstance(answer, SignedCheckpoint)]
            unasked = [one for one, answer in zip(unasked, answers, strict=True) if isinstance(answer, Away)]
        for witness in unasked:
            log.warning("A witness does not say what it has cosigned", extra={"fields": {"witness": witness.name}})
        return found

    async def _look(self) -> tuple[int, int]:
        """Return how many rows this log has, and the size that an open incident says it must reach."""
        async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            row_count = (await get_head(transaction)).size - self._origin.first_index
            incident = await find_open_incident(transaction, WHOLE_LOG)
        return row_count, incident.to_sequence if incident else 0

    async def _feed(self, tree: Tree) -> Contradiction | None:
        feeder = Feeder(self._database, self._origin, self._key)
        async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            # Until it is done, no process gives places to rows; should this one die, the next goes on.
            await transaction.execute(update(models.log_head).values(stopped_because=FEEDING))
        try:
            signed = await feeder.check(tree.reader)
            await feeder.feed(tree.reader, signed.checkpoint.size, now=self._clock.now())
        except CopyRefusedError as error:
            return Contradiction(
                because=str(error), size=tree.size, wanted_size=tree.size, checkpoint=tree.signed.note.data.decode()
            )
        return None

    async def _overlap(self, tree: Tree, row_count: int) -> Contradiction | None:
        """Compare the last bundle that both have: a row that was changed in the database shows at the next start."""
        size = min(row_count, tree.size)
        bundle = find_bundle((size - 1) // TILE_WIDTH, tree.size) if size else None
        if bundle is None:
            return None
        first = bundle.index * TILE_WIDTH
        begin = self._origin.first_index + first
        rows = await read_leaves(self._database, begin, begin + size - first)
        entries = await tree.run(lambda: tree.reader.read_bundle(bundle))
        if list(rows) == entries[: size - first]:
            return None
        because = f"the rows from {first} on are not those of the directory"
        return Contradiction(because=because, size=first, wanted_size=size, checkpoint=tree.signed.note.data.decode())

    async def _against(self, signed: SignedCheckpoint, tree: Tree) -> Contradiction | None:
        """Compare what was cosigned with the log: it must be its beginning."""
        size, first = signed.checkpoint.size, self._origin.first_index
        if size <= tree.size:
            root = await tree.run(lambda: read_root(size, TileHashes(tree.reader, tree.size)))
        elif size <= (row_count := (await self._look())[0]):
            root = await root_of_rows(self._database, first, size)
        else:
            return _behind(max(row_count, tree.size), size, [signed])
        if root == signed.checkpoint.root:
            return None
        return Contradiction(
            because=f"the first {size} entries are not those that a witness has cosigned",
            size=size,
            wanted_size=size,
            checkpoint=signed.note.data.decode(),
        )


def _behind(size: int, wanted_size: int, cosigned: Sequence[SignedCheckpoint]) -> Contradiction:
    largest = max(cosigned, key=lambda signed: signed.checkpoint.size, default=None)
    return Contradiction(
        because=f"the log has {size} entries, and {wanted_size} were cosigned",
        size=size,
        wanted_size=wanted_size,
        checkpoint=largest.note.data.decode() if largest else "",
    )
