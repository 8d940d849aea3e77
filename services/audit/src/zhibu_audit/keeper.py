"""Keeps the tree: one process at a time holds the log, appends what has a place, and has it cosigned."""

import asyncio
import logging
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database, Role
from zhibu_kit.errors import ServiceError
from zhibu_kit.scope import Scope
from zhibu_tlog.keys import SignerKey
from zhibu_tlog.notes import NoteRefusedError
from zhibu_tlog.reader import LogFileMissingError
from zhibu_tlog.spelling import MalformedError
from zhibu_tlog.tree_writer import EntriesRefusedError, LogDamagedError, LogInUseError

from zhibu_audit import models
from zhibu_audit.cosigning import Cosigner
from zhibu_audit.leaf_rows import read_leaves
from zhibu_audit.origins import Origin, begin_origin, key_of_serial, list_origins
from zhibu_audit.places import get_head
from zhibu_audit.restoring import Restorer
from zhibu_audit.stopping import Contradiction, stop_log
from zhibu_audit.tree import Tree, opened_tree
from zhibu_audit.witnesses import WitnessClient

log = logging.getLogger("zhibu.audit.keeper")

# Entries that come within this time share a checkpoint.
EVERY_S: Final = 1.0
# While another process has the log, or something is wrong with it, it is tried again this often.
RETRY_S: Final = 1.0

_DISK_FAULTS: Final = (LogDamagedError, LogFileMissingError, MalformedError, NoteRefusedError, EntriesRefusedError)


class TreeKeeper:
    """Keeps the log of this installation. `judged` is set while rows may be given places: see `restoring`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        root: Path,
        key: SignerKey,
        witnesses: Sequence[WitnessClient],
        quorum: int,
    ) -> None:
        """Keep logs below `root`, signed by a key."""
        self._database = database
        self._clock = clock
        self._root = root
        self._key = key
        self._witnesses = witnesses
        self._quorum = quorum
        self.judged = asyncio.Event()

    async def run(self) -> None:
        """Keep the log for ever; when the disk or the database fails, it is opened and judged again."""
        while True:
            try:
                await self._keep()
            except LogInUseError:
                # Whoever has it open has judged it.
                self.judged.set()
            except ServiceError:
                # The database that comes back may be a restored one.
                self.judged.clear()
                log.warning("The log waits for its database")
            except (OSError, *_DISK_FAULTS) as error:
                log.error("The log cannot be written on", exc_info=error)  # noqa: TRY400 - with what it was
            await asyncio.sleep(RETRY_S)

    async def _keep(self) -> None:
        origins = await self._origins()
        for ended, begun in pairwise(origins):
            await self._fill(ended, begun.first_index)
        current = origins[-1]
        key = key_of_serial(self._key, current.serial)
        async with opened_tree(current.directory(self._root), key) as tree:
            restorer = Restorer(
                self._database, self._clock, origin=current, key=key.verifier, witnesses=self._witnesses
            )
            # While it lasts, rows get no places: a restored database would give them the places of others.
            if not await restorer.judge(tree):
                self.judged.set()
                return
            self.judged.set()
            await self._grow(tree, current, restorer)

    async def _grow(self, tree: Tree, origin: Origin, restorer: Restorer) -> None:
        """Append for as long as the log runs under this origin."""

        async def remember(witness: WitnessClient, size: int) -> None:
            await self._remember(witness, origin, size)

        async def accuse(witness: WitnessClient) -> Contradiction | None:
            return await restorer.what_it_says(witness, tree)

        cosigned = (origin.cosigned_file(self._root).name, self._quorum)
        cosigner = Cosigner(tree, origin, self._witnesses, cosigned=cosigned, remember=remember, accuse=accuse)
        cosigning = asyncio.create_task(cosigner.run())
        try:
            while await self._append(tree, origin):
                await asyncio.wait([cosigning], timeout=EVERY_S)
                if cosigning.done():
                    contradiction, now = cosigning.result(), self._clock.now()
                    async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
                        await stop_log(transaction, contradiction, now=now)
                    return
        finally:
            cosigning.cancel()
            await asyncio.gather(cosigning, return_exceptions=True)

    async def _append(self, tree: Tree, origin: Origin) -> bool:
        """Append everything that has a place; return whether the log goes on under this origin."""
        async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            head = await get_head(transaction)
            newest = (await list_origins(transaction))[-1]
        if head.stopped_because or newest.serial != origin.serial:
            return False
        await self._append_until(tree, origin, head.size)
        return True

    async def _append_until(self, tree: Tree, origin: Origin, end: int) -> None:
        while (begin := origin.first_index + tree.size) < end:
            leaves = await read_leaves(self._database, begin, end)
            if not leaves:
                return
            await tree.append(leaves, first_index=tree.size)

    async def _fill(self, origin: Origin, end: int) -> None:
        """Bring a log that was ended up to the entry at which the next one begins."""
        async with opened_tree(origin.directory(self._root), key_of_serial(self._key, origin.serial)) as tree:
            await self._append_until(tree, origin, end)

    async def _origins(self) -> Sequence[Origin]:
        async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            # Of two processes that come first, one begins the log.
            await transaction.execute(select(models.log_head).with_for_update())
            origins = await list_origins(transaction)
            if origins:
                return origins
            return [await begin_origin(transaction, name=self._key.name, first_index=0, now=self._clock.now())]

    async def _remember(self, witness: WitnessClient, origin: Origin, size: int) -> None:
        now = self._clock.now()
        values = {"verifier_key": witness.address.key.text, "size": size, "cosigned_at": now}
        new = insert(models.witness).values(name=witness.name, serial=origin.serial, **values)
        changed = new.on_conflict_do_update(index_elements=["name", "serial"], set_=values)
        async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            await transaction.execute(changed)
