"""A whole service: from an RPC through the outbox and NATS to the log, as its NATS user may."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from typing import Any

import grpc.aio
import pytest
from integration.kit_data.records import MIGRATIONS, Mirror
from integration.kit_data.whole_service import COUNTY, World, running_nats, running_world
from sqlalchemy import func, select
from zhibu.testing.v1 import probe_service_pb2 as pb
from zhibu_kit import tables
from zhibu_kit.app import Assembly, Runtime
from zhibu_kit.audit_chain import verify_audit_chain
from zhibu_kit.db import Role, Scope
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.services import start_service
from zhibu_kit.testing.waiting import wait_until


@pytest.fixture(scope="module")
async def nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[NatsServer]:
    async with running_nats(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture(scope="module")
async def world(service_database: DatabaseMaker, nats: NatsServer) -> AsyncGenerator[World]:
    async with running_world(service_database, nats) as world:
        yield world


async def test_a_repeated_request_has_one_effect(world: World) -> None:
    first = await world.update("repeated", "甲", request_id="again")
    assert await world.update("repeated", "甲", request_id="again") == first
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await world.update("repeated", "乙", request_id="again")
    assert raised.value.code() is grpc.StatusCode.ALREADY_EXISTS


async def test_writes_readings_and_refusals_are_in_the_log_numbered_within_a_second(world: World) -> None:
    await world.update("logged", "甲")
    request = pb.GetRecordRequest(organisation_id=COUNTY, record_id="logged")
    call: Awaitable[Any] = world.stub.GetRecord(request, metadata=world.metadata())  # pyright: ignore[reportAssignmentType, reportCallIssue, reportArgumentType] - the stubs know synchronous channels
    assert (await call).record.text == "甲"
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await world.update("logged", "乙", account_id="stranger")
    assert raised.value.code() is grpc.StatusCode.PERMISSION_DENIED
    found = await wait_until(lambda: logged(world, "logged"))
    assert [row[:3] for row in found] == [
        ("testing.record.updated", "done", "account-1"),
        ("testing.record.read", "read", "account-1"),
        ("testing.record.updated", "refused", "stranger"),
    ]
    await wait_until(lambda: all_numbered(world), timeout_s=2)
    assert await verify_audit_chain(world.database) == []


async def test_a_service_with_two_consumers_of_one_event_does_not_start(
    service_database: DatabaseMaker, nats: NatsServer
) -> None:
    made = await service_database("testing", directory=MIGRATIONS)

    async def build(runtime: Runtime[Any]) -> Assembly:
        return Assembly(servicers={}, consumers=[Mirror().consumer(), Mirror().consumer()])

    with TokenIssuer() as issuer, pytest.raises(Exception, match=r"more than one consumer of zhibu\.testing"):
        async with start_service("testing", build, database=made, nats=nats, issuer=issuer):
            pass


async def logged(world: World, subject_id: str) -> list[tuple[str, str, str]]:
    columns = tables.audit.c
    statement = select(columns.action, columns.outcome, columns.account_id).where(columns.subject_id == subject_id)
    async with world.database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        found = await transaction.all(statement.order_by(columns.audit_id))
    return [(row.action, row.outcome, row.account_id) for row in found] if len(found) == 3 else []


async def all_numbered(world: World) -> bool:
    waiting = select(func.count()).where(tables.audit.c.sequence.is_(None))
    async with world.database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        return await transaction.scalar(waiting) == 0
