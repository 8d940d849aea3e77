"""A log with two witnesses, of which the parts can be stopped, copied and restored one by one."""

import asyncio
import secrets
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from integration.audit.running_audit import Audit, running_audit
from support.lane_rows import LaneRows
from support.witness_process import WitnessProcess
from zhibu_audit.origins import key_of_serial
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until
from zhibu_stack.databases import ServiceDatabase
from zhibu_stack.engines import Postgres
from zhibu_tlog.checkpoints import SignedCheckpoint, open_checkpoint
from zhibu_tlog.keys import SignatureType, SignerKey
from zhibu_tlog.reader import DirectoryReader
from zhibu_tlog.verifying import Trust, Verification, verify_log

ORIGIN = "log.test/county"
_TABLES = ("log_head", "log_origin", "entry", "entry_subject", "lane", "incident", "witness")


@dataclass(slots=True, kw_only=True)
class LogHouse:
    """Where everything of the log lies; `running` starts audit on it."""

    directory: Path
    database: ServiceDatabase
    postgres: Postgres
    nats: NatsServer
    issuer: TokenIssuer
    key: SignerKey
    witnesses: list[WitnessProcess]
    rows: dict[str, LaneRows] = field(default_factory=dict[str, LaneRows])

    @property
    def root(self) -> Path:
        return self.directory / "log"

    @asynccontextmanager
    async def running(self, **settings: Any) -> AsyncGenerator[Audit]:
        own = {
            "audit_witnesses": ",".join(witness.setting for witness in self.witnesses),
            "audit_quorum": len(self.witnesses),
            "audit_gap_s": 30.0,
        }
        async with running_audit(
            self.database,
            postgres=self.postgres,
            nats=self.nats,
            issuer=self.issuer,
            directory=self.directory,
            **{**own, **settings},
        ) as audit:
            yield audit

    async def write(self, audit: Audit, count: int, lane: str = "identity", **fields: Any) -> None:
        """Let a service write rows, and wait until they are in the log."""
        rows = self.rows.setdefault(lane, LaneRows(lane=lane))
        await audit.publish(lane, rows.write(count, **fields))
        await audit.wait_for(lane, len(rows.rows))

    def signed(self, serial: int = 1) -> SignedCheckpoint:
        key = key_of_serial(self.key, serial)
        data = DirectoryReader(self.root / str(serial)).read_checkpoint()
        return open_checkpoint(data, origin=key.name, keys=[key.verifier])

    async def wait_for_size(self, size: int, serial: int = 1, *, timeout_s: float = 40.0) -> None:
        """Wait until a checkpoint of this size is published."""
        folder = self.root / str(serial) / "checkpoint"
        await wait_until(lambda: folder.exists() and self.signed(serial).checkpoint.size == size, timeout_s)

    async def wait_for_cosigned(self, size: int, serial: int = 1, *, timeout_s: float = 40.0) -> None:
        """Wait until every witness has cosigned this size."""
        await wait_until(lambda: self.verify(serial).is_good and self.signed(serial).checkpoint.size == size, timeout_s)

    def verify(self, serial: int = 1, directory: Path | None = None) -> Verification:
        """Check the whole log as anybody may."""
        key = key_of_serial(self.key, serial)
        trust = Trust(
            origin=key.name,
            keys=(key.verifier,),
            witnesses=tuple(witness.key for witness in self.witnesses),
            quorum=len(self.witnesses),
        )
        return verify_log(DirectoryReader(directory or self.root / str(serial)), trust)

    async def back_up_rows(self) -> dict[str, list[asyncpg.Record]]:
        """Copy the database of the log."""
        connection = await asyncpg.connect(self.postgres.dsn(self.database.name))
        try:
            return {table: await connection.fetch(f"select * from {table}") for table in _TABLES}
        finally:
            await connection.close()

    async def restore_rows(self, backup: dict[str, list[asyncpg.Record]]) -> None:
        """Bring the database back to a copy; audit must not run."""
        connection = await asyncpg.connect(self.postgres.dsn(self.database.name))
        try:
            await connection.execute(f"truncate {', '.join(_TABLES)}")
            for table in _TABLES:
                if backup[table]:
                    await connection.copy_records_to_table(
                        table, records=[tuple(row) for row in backup[table]], columns=list(backup[table][0].keys())
                    )
        finally:
            await connection.close()

    def copy_tree(self, name: str) -> Path:
        """Copy the directory of the log beside it."""
        target = self.directory / name
        shutil.copytree(self.root, target)
        return target

    def restore_tree(self, copy: Path | None) -> None:
        """Bring the directory back to a copy, or lose it altogether."""
        shutil.rmtree(self.root)
        if copy is not None:
            shutil.copytree(copy, self.root)


@asynccontextmanager
async def log_house(
    directory: Path, make_database: DatabaseMaker, *, postgres: Postgres, nats: NatsServer, issuer: TokenIssuer
) -> AsyncGenerator[LogHouse]:
    """Make a log with two running witnesses; audit does not run yet."""
    key = SignerKey(name=ORIGIN, type=SignatureType.ED25519, seed=secrets.token_bytes(32))
    (directory / "log.key").write_text(f"{key.text}\n", "ascii")
    logs = [key_of_serial(key, serial).verifier for serial in (1, 2)]
    witnesses = [WitnessProcess(directory / f"w{number}", f"w{number}.test", logs) for number in (1, 2)]
    database = await make_database("audit")
    await nats.prepare()
    try:
        for witness in witnesses:
            await asyncio.to_thread(witness.start)
        yield LogHouse(
            directory=directory,
            database=database,
            postgres=postgres,
            nats=nats,
            issuer=issuer,
            key=key,
            witnesses=witnesses,
        )
    finally:
        for witness in witnesses:
            await asyncio.to_thread(witness.stop)
        admin = await nats.connect("admin")
        await admin.jetstream.purge_stream("ZHIBU_AUDIT_ROWS")
        await admin.close()
