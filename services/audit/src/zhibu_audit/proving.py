"""Which entries can be proven, and their proofs: the database says in which log an entry stands, the disk proves it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from zhibu_kit.db import Transaction

from zhibu_audit.errors import ENTRY_NOT_PROVABLE
from zhibu_audit.origins import list_origins
from zhibu_audit.shelf import Shelf, log_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof file, and by which keys it is checked."""

    text: str
    verifier_key: str
    witness_keys: tuple[str, ...]
    quorum: int


async def provable_of(transaction: Transaction, shelf: Shelf, indexes: Collection[int]) -> set[int]:
    """Return those of the entries that are under a signed checkpoint."""
    logs = await list_origins(transaction)
    provable: set[int] = set()
    sizes: dict[str, int] = {}
    for index in indexes:
        log = log_of(logs, index)
        if log is None:
            continue
        if log.name not in sizes:
            signed = await asyncio.to_thread(shelf.signed, log)
            sizes[log.name] = signed.checkpoint.size if signed else 0
        if index - log.first_index < sizes[log.name]:
            provable.add(index)
    return provable


async def prove(transaction: Transaction, shelf: Shelf, index: int) -> Proof:
    """Return the proof of an entry.

    Raises:
        ServiceError: ENTRY_NOT_PROVABLE while no signed checkpoint covers it; LOG_NOT_WHOLE when the log is damaged there.
    """
    log = log_of(await list_origins(transaction), index)
    signed = await asyncio.to_thread(shelf.covering, log, index) if log else None
    if log is None or signed is None:
        raise ENTRY_NOT_PROVABLE()
    return Proof(
        text=await asyncio.to_thread(shelf.prove, log, index, signed),
        verifier_key=shelf.verifier_key(log).text,
        witness_keys=tuple(key.text for key in shelf.keys.witnesses),
        quorum=shelf.keys.quorum,
    )
