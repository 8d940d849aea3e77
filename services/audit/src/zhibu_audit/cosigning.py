"""Has checkpoints cosigned: every witness is asked for the newest one, side by side, and the log goes on meanwhile."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from zhibu_tlog.checkpoints import SignedCheckpoint
from zhibu_tlog.durable_files import DurableFiles, write_all
from zhibu_tlog.notes import Note, Signature
from zhibu_tlog.proofs import make_consistency_proof
from zhibu_tlog.tile_hashes import TileHashes
from zhibu_tlog.witness.requests import write_request

from zhibu_audit.origins import Origin
from zhibu_audit.stopping import Contradiction
from zhibu_audit.tree import Tree
from zhibu_audit.witnesses import Away, Cosigned, OtherSize, Refused, WitnessClient

log = logging.getLogger("zhibu.audit.cosigning")

# A witness that did not cosign is left alone for this long, so that the others are not waited for because of it.
AWAY_S: Final = 5.0
IDLE_S: Final = 1.0

Remember = Callable[[WitnessClient, int], Awaitable[None]]
Accuse = Callable[[WitnessClient], Awaitable[Contradiction | None]]


class Cosigner:
    """Has one log cosigned, as long as it is open."""

    def __init__(
        self,
        tree: Tree,
        origin: Origin,
        witnesses: Sequence[WitnessClient],
        *,
        cosigned: tuple[str, int],
        remember: Remember,
        accuse: Accuse,
    ) -> None:
        """Ask witnesses; `cosigned` is the file for what a quorum has cosigned, and the quorum.

        `remember` keeps what a witness has cosigned; `accuse` looks into what a witness says against the log.
        """
        self._tree = tree
        self._origin = origin
        self._witnesses = witnesses
        self._file, self._quorum = cosigned
        self._remember = remember
        self._accuse = accuse
        self._sizes: dict[str, int] = {}
        self._not_before_s: dict[str, float] = {}
        self._signatures: dict[str, Sequence[Signature]] = {}
        self._note: Note | None = None

    async def run(self) -> Contradiction:
        """Have every checkpoint cosigned, until a witness can show something against the log."""
        while True:
            self._tree.grown.clear()
            signed = self._tree.signed
            if self._note != (note := _bare(signed.note)):
                self._note, self._signatures = note, {}
            due = [one for one in self._witnesses if self._is_due(one)]
            for contradiction in await asyncio.gather(*(self._ask(one, signed) for one in due)):
                if contradiction is not None:
                    return contradiction
            if not due or len(self._signatures) < len(self._witnesses):
                await self._wait()

    def _is_due(self, witness: WitnessClient) -> bool:
        waits = time.monotonic() < self._not_before_s.get(witness.name, 0.0)
        return not waits and witness.name not in self._signatures

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(IDLE_S):
                await self._tree.grown.wait()
        except TimeoutError:
            return

    async def _ask(self, witness: WitnessClient, signed: SignedCheckpoint) -> Contradiction | None:
        """Ask a witness once, and again when it says at which size it was cosigned last."""
        for _ in range(2):
            old_size = self._sizes.get(witness.name, 0)
            proof = await self._tree.run(lambda old_size=old_size: self._proof(old_size, signed))
            request = write_request(old_size, tuple(proof), signed.note.data)
            match await witness.add_checkpoint(request, signed.note):
                case Cosigned(signatures=signatures):
                    await self._take(witness, signed, signatures)
                    return None
                case OtherSize(size=size) if size <= signed.checkpoint.size:
                    self._sizes[witness.name] = size
                case OtherSize() | Refused():
                    if contradiction := await self._accuse(witness):
                        return contradiction
                    break
                case Away(because=because):
                    fields = {"witness": witness.name, "because": because}
                    log.warning("A witness did not cosign", extra={"fields": fields})
                    break
        self._not_before_s[witness.name] = time.monotonic() + AWAY_S
        return None

    def _proof(self, old_size: int, signed: SignedCheckpoint) -> list[bytes]:
        size = signed.checkpoint.size
        return make_consistency_proof(old_size, size, TileHashes(self._tree.reader, size))

    async def _take(self, witness: WitnessClient, signed: SignedCheckpoint, signatures: Sequence[Signature]) -> None:
        self._sizes[witness.name] = signed.checkpoint.size
        self._signatures[witness.name] = signatures
        await self._tree.publish_cosignatures(signed.note, signatures)
        await self._remember(witness, signed.checkpoint.size)
        if len(self._signatures) >= max(self._quorum, 1):
            await self._tree.run(lambda: self._keep(signed.note))

    def _keep(self, note: Note) -> None:
        """Keep the newest note that a quorum has cosigned: entries are proven by it while newer ones wait for witnesses."""
        own = _bare(note).signatures
        others = [signature for signatures in self._signatures.values() for signature in signatures]
        data = Note(text=note.text, signatures=(*own, *others)).data
        root = self._tree.directory.parent
        # Aside is the writer's own folder.
        write_all(DurableFiles(), {root / self._file: data}, root=root, aside=self._tree.directory / ".writer")


def _bare(note: Note) -> Note:
    """Return a note with the log's own signature alone, which is the first."""
    return Note(text=note.text, signatures=note.signatures[:1])
