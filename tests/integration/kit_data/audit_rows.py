"""Audit rows as a test makes them, finds them in the database and in the stream to the log, or meddles with them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import asyncpg
from integration.kit_data.records import call_of
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from sqlalchemy import select
from zhibu.audit.v1.audit_rows_pb2 import AuditRow, AuditRows
from zhibu.testing.v1 import probe_service_pb2 as pb
from zhibu_kit import tables
from zhibu_kit.db import Database, Role, Scope
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_stack.engines import Postgres

STREAM = "ZHIBU_AUDIT_ROWS"


async def read_about(database: Database, subjects: Sequence[str]) -> None:
    """Leave the row of a reading."""
    async with database.read(call_of("GetRecord"), pb.GetRecordRequest()) as read:
        read.reply(pb.GetRecordResponse(), subjects=subjects)


async def refuse(database: Database, *, times: int = 1) -> None:
    """Leave rows of refused attempts."""
    for _ in range(times):
        await database.audit_refusal(call_of("UpdateRecord"), None, "PERMISSION_DENIED")


async def audit_rows(database: Database) -> list[Any]:
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        return list(await transaction.all(select(tables.audit).order_by(tables.audit.c.audit_id)))


async def head_of(database: Database) -> Any:
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        return await transaction.one(select(tables.audit_head))


async def openings(database: Database, audit_id: str) -> list[Any]:
    statement = select(tables.audit_subject).where(tables.audit_subject.c.audit_id == audit_id)
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        return list(await transaction.all(statement.order_by(tables.audit_subject.c.commitment)))


async def as_superuser(postgres: Postgres, database: Database, statement: str) -> None:
    """Do what an intruder with all rights over the database could do."""
    connection = await asyncpg.connect(postgres.dsn(database.url.rpartition("/")[2]))
    await connection.execute(statement)
    await connection.close()


async def published(nats: NatsServer, lane: str = "testing") -> list[AuditRows]:
    """Return what the stream holds of a lane, in its order."""
    admin = await nats.connect("admin")
    try:
        config = ConsumerConfig(
            ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL, filter_subject=f"zhibu.audit_rows.v1.{lane}"
        )
        subscription = await admin.jetstream.pull_subscribe("", stream=STREAM, config=config)
        left = (await subscription.consumer_info()).num_pending or 0
        found: list[AuditRows] = []
        while len(found) < left:
            messages = await subscription.fetch(min(left - len(found), 64), timeout=5)
            found += [AuditRows.FromString(message.data) for message in messages]
        return found
    finally:
        await admin.close()


async def sequences(nats: NatsServer) -> list[int]:
    return [row.sequence for message in await published(nats) for row in message.rows]


def check_chain(rows: Sequence[AuditRow], *, previous: bytes = bytes(32)) -> None:
    """Check, as the log does, that rows follow on each other from a hash on."""
    for row in rows:
        previous = hashlib.sha256(previous + row.row).digest()
        assert row.chain_hash == previous, row.sequence
