"""The logs: which there are, how each is called, and which entries lie in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select
from zhibu_kit.db import Transaction
from zhibu_tlog.keys import SignerKey

from zhibu_audit import models


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A log: its number, its name, and the entry at its place 0."""

    serial: int
    name: str
    first_index: int

    def directory(self, root: Path) -> Path:
        """Return where the log lies; beside it is the newest checkpoint that a quorum has cosigned."""
        return root / str(self.serial)

    def cosigned_file(self, root: Path) -> Path:
        """Return the file of the newest checkpoint that a quorum of witnesses has cosigned."""
        return root / f"{self.serial}.cosigned"


def name_of(base: str, serial: int) -> str:
    """Return the name of a log: that of the installation, with a serial from the second on."""
    return base if serial == 1 else f"{base}/{serial}"


def key_of_serial(key: SignerKey, serial: int) -> SignerKey:
    """Return the key under the name of a log; the private part is the same for all."""
    return SignerKey(name=name_of(key.name, serial), type=key.type, seed=key.seed)


async def list_origins(transaction: Transaction) -> Sequence[Origin]:
    """Return every log, the first one first."""
    rows = await transaction.all(select(models.log_origin).order_by(models.log_origin.c.serial))
    return [Origin(serial=row.serial, name=row.origin, first_index=row.first_index) for row in rows]


async def begin_origin(transaction: Transaction, *, name: str, first_index: int, now: datetime) -> Origin:
    """Begin the next log at an entry; `name` is that of the installation."""
    serial = len(await list_origins(transaction)) + 1
    origin = Origin(serial=serial, name=name_of(name, serial), first_index=first_index)
    new = insert(models.log_origin).values(serial=serial, origin=origin.name, first_index=first_index, created_at=now)
    await transaction.execute(new)
    return origin
