"""The command line of a service: migrate, dead-letters, reconcile, audit-verify, audit-feed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from integration.kit_data.conftest import Start
from integration.kit_data.records import COUNTY, HEARD, MIGRATIONS, Mirror, call_of, change, rows, snapshot
from sqlalchemy import func, select, update
from zhibu.testing.v1.testing_events_pb2 import RecordChanged
from zhibu_kit import tables
from zhibu_kit.app import Assembly, Runtime
from zhibu_kit.audit_chain import number_audit_rows
from zhibu_kit.bus import Bus
from zhibu_kit.cli import kit_cli
from zhibu_kit.clock import SystemClock
from zhibu_kit.db import Database, Role, Scope
from zhibu_kit.dead_letters import replay_requested
from zhibu_kit.events import EventContext
from zhibu_kit.notifications import AUDIT_FEED_CHANNEL, DEAD_LETTER_CHANNEL, Notifications
from zhibu_kit.settings import ServiceSettings
from zhibu_kit.testing.clock import DEFAULT_START
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_stack.databases import ServiceDatabase
from zhibu_stack.engines import Postgres

Command = Callable[..., Any]
KIT = ("kit/0001_kit", "kit/0002_virtual_branch", "kit/0003_open_grant", "kit/0004_audit_feed")


async def build(runtime: Runtime[Any]) -> Assembly:
    return Assembly(servicers={})


@pytest.fixture
async def made(service_database: DatabaseMaker) -> ServiceDatabase:
    return await service_database("mirror", directory=MIGRATIONS, migrated=False)


@pytest.fixture
def run(made: ServiceDatabase, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command as an operator does, and return its exit status, its output and its complaints."""

    def settings() -> ServiceSettings:
        return ServiceSettings(database_url=made.app_url, database_owner_url=made.owner_url)

    async def command(*arguments: str, migrations: Path = MIGRATIONS) -> tuple[int, str, str]:
        status = await asyncio.to_thread(
            kit_cli,
            "mirror",
            settings=settings,
            build=build,
            migrations=migrations,
            snapshot=snapshot,
            arguments=arguments,
        )
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return command


async def test_migrate_says_what_it_did_and_then_that_there_is_nothing_to_do(run: Command) -> None:
    assert await run("migrate") == (
        0,
        "".join(f"{migration} done\n" for migration in (*KIT, "mirror/0001_record")),
        "",
    )
    assert await run("migrate") == (0, "nothing to apply\n", "")


async def test_a_migration_that_fails_is_one_sentence_and_a_status(run: Command, tmp_path: Path) -> None:
    (tmp_path / "0001_wrong.sql").write_text("create table half (id int); select nonsense;")
    status, output, complaint = await run("migrate", migrations=tmp_path)
    assert (status, output) == (1, "".join(f"{migration} done\n" for migration in KIT))
    assert complaint.startswith(
        "数据库迁移失败 / migration failed: mirror/0001_wrong failed, line 1 and left nothing behind"
    )
    assert complaint.count("\n") == 1


async def test_dead_letters_are_listed_thrown_away_and_replayed_by_the_running_service(
    run: Command, made: ServiceDatabase, listener_bus: Bus, start: Start
) -> None:
    await run("migrate")
    database = Database(made.app_url, service="mirror")
    runner = Mirror().runner(database, listener_bus)
    assert await run("dead-letters", "list") == (0, "", "")
    await set_aside(database, "letter-0")
    assert (await run("dead-letters", "discard", "letter-2"))[0] == 1
    assert await run("dead-letters", "discard", "letter-0") == (0, "discarded\n", "")
    assert await run("dead-letters", "list") == (0, "", "")
    await set_aside(database, "letter-1")
    status, output, _ = await run("dead-letters", "list")
    assert status == 0
    assert output.split() == [
        "letter-1",
        "2026-11-23T04:00:00Z",
        "records",
        "zhibu.testing.v1.record_changed",
        "KeyError",
    ]
    assert (await run("dead-letters", "replay", "letter-2"))[0] == 1
    # What a running service does: it hears of the request and handles the letter anew.
    notifications = Notifications(made.app_url)
    woken = notifications.event(DEAD_LETTER_CHANNEL)
    start(notifications.run())
    await asyncio.wait_for(woken.wait(), 30)
    woken.clear()

    async def replay() -> None:
        while True:
            await woken.wait()
            woken.clear()
            await replay_requested(database, {"records": runner}, clock=SystemClock())

    start(replay())
    assert await run("dead-letters", "replay", "letter-1") == (0, "replayed\n", "")
    assert await rows(database, HEARD) == [("r1", "甲", 1)]
    assert await run("dead-letters", "list") == (0, "", "")
    # What was replayed is history, and stays.
    assert (await run("dead-letters", "discard", "letter-1"))[0] == 1
    await database.close()


async def test_reconcile_puts_everything_on_its_way_again(run: Command, made: ServiceDatabase) -> None:
    await run("migrate")
    database = Database(made.app_url, service="mirror")
    for number in range(3):
        await change(database, f"r{number}", version=1)
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        await transaction.execute(update(tables.outbox).values(published_at=func.now()))
    assert await run("reconcile") == (0, "6 events put into the outbox\n", "")
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        waiting = select(func.count()).where(tables.outbox.c.published_at.is_(None))
        assert await transaction.scalar(waiting) == 6
    await database.close()


async def test_audit_verify_finds_a_row_that_was_changed(
    run: Command, made: ServiceDatabase, postgres: Postgres
) -> None:
    await run("migrate")
    database = Database(made.app_url, service="mirror")
    await database.audit_refusal(call_of("UpdateRecord"), None, "PERMISSION_DENIED")
    await number_audit_rows(database)
    assert await run("audit-verify") == (0, "the chain is whole\n", "")
    intruder = await asyncpg.connect(postgres.dsn(made.name))
    await intruder.execute("update kit_audit set account_id = 'somebody else'")
    await intruder.close()
    assert await run("audit-verify") == (1, "row 1 was changed\n", "")
    await database.close()


async def test_audit_feed_wakes_the_running_service_to_publish_rows_again(
    run: Command, made: ServiceDatabase, start: Start
) -> None:
    await run("migrate")
    database = Database(made.app_url, service="mirror")
    for _ in range(4):
        await database.audit_refusal(call_of("UpdateRecord"), None, "PERMISSION_DENIED")
    await number_audit_rows(database)
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        await transaction.execute(update(tables.audit_head).values(fed_sequence=4))
    notifications = Notifications(made.app_url)
    woken = notifications.event(AUDIT_FEED_CHANNEL)
    start(notifications.run())
    await asyncio.wait_for(woken.wait(), 5)
    woken.clear()
    assert await run("audit-feed", "--from", "3") == (0, "2 rows wait to be published by the running service\n", "")
    await asyncio.wait_for(woken.wait(), 5)
    # Asking for less does not take back what was asked for.
    assert await run("audit-feed", "--from", "4") == (0, "2 rows wait to be published by the running service\n", "")
    assert await run("audit-feed", "--from", "0") == (0, "4 rows wait to be published by the running service\n", "")
    await database.close()


async def test_a_database_that_is_not_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    def settings() -> ServiceSettings:
        return ServiceSettings(database_url="postgresql://mirror_app:x@127.0.0.1:1/mirror")

    status = await asyncio.to_thread(
        kit_cli, "mirror", settings=settings, build=build, migrations=MIGRATIONS, arguments=["reconcile"]
    )
    assert (status, capsys.readouterr().err.count("\n")) == (1, 1)


async def set_aside(database: Database, dead_letter_id: str) -> None:
    context = EventContext(
        event_id="event-1",
        subject="zhibu.testing.v1.record_changed",
        key="r1",
        version=1,
        county_code=COUNTY,
        traceparent="",
        occurred_at=DEFAULT_START,
    )
    row = {
        "dead_letter_id": dead_letter_id,
        "consumer": "records",
        "event_id": "event-1",
        "subject": context.subject,
        "headers": context.headers(event_type="zhibu.testing.v1.RecordChanged", source="testing"),
        "payload": RecordChanged(record_id="r1", county_code=COUNTY, text="甲", version=1).SerializeToString(),
        "reason": "KeyError",
        "failed_at": DEFAULT_START,
    }
    async with database.transaction(Scope.none()) as transaction:
        await transaction.execute(tables.dead_letter.insert().inline(), row)
