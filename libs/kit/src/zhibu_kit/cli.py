"""The command line that every service has: serve (default), migrate, dead-letters, reconcile, audit-verify, audit-feed."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from zhibu_kit.app import Build, run_service
from zhibu_kit.audit_chain import verify_audit_chain
from zhibu_kit.audit_feed import feed_from
from zhibu_kit.clock import SystemClock
from zhibu_kit.db import Database
from zhibu_kit.dead_letters import discard, list_dead_letters, request_replay
from zhibu_kit.errors import ServiceError
from zhibu_kit.migrations import MigrationError, migrate
from zhibu_kit.reconcile import Snapshot, reconcile
from zhibu_kit.settings import ServiceSettings

# After a replay was asked for, its outcome is waited for this long.
REPLAY_WAIT_S: Final = 20.0
REPLAY_LOOK_S: Final = 0.2
NO_SUCH_LETTER: Final = "没有这样的死信 / there is no such dead letter\n"

Migrate = Callable[[], Awaitable[Sequence[str]]]


def kit_cli(
    name: str,
    *,
    settings: Callable[[], ServiceSettings],
    build: Build,
    migrations: Path,
    snapshot: Snapshot | None = None,
    more_migrations: Migrate | None = None,
    arguments: Sequence[str] | None = None,
) -> int:
    """Run one command of a service and return the exit status.

    `more_migrations` brings further databases of the service up to date (identity's key database).
    """
    parser = argparse.ArgumentParser(prog=f"python -m zhibu_{name}")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="run the service (default)")
    commands.add_parser("migrate", help="bring the database up to date")
    commands.add_parser("reconcile", help="say again how everything stands, for consumers that missed something")
    commands.add_parser("audit-verify", help="recompute the chain of audit rows")
    feed = commands.add_parser("audit-feed", help="have the running service publish audit rows to the log again")
    feed.add_argument("--from", dest="from_sequence", type=int, required=True, help="first number that is wanted")
    letters = commands.add_parser("dead-letters", help="events that could not be handled").add_subparsers(
        dest="action", required=True
    )
    letters.add_parser("list", help="list those not replayed")
    replay = letters.add_parser("replay", help="have the running service handle one again")
    replay.add_argument("dead_letter_id", help='identifier, or "all"')
    throw_away = letters.add_parser("discard", help="throw one away that can never be handled")
    throw_away.add_argument("dead_letter_id", help="identifier")
    given = parser.parse_args(arguments)
    loaded = settings()
    match given.command:
        case None | "serve":
            asyncio.run(run_service(name=name, settings=loaded, build=build))
            return 0
        case "migrate":
            return asyncio.run(_migrate(name, loaded, migrations, more_migrations))
        case _:
            try:
                return asyncio.run(_operate(name, loaded, given, snapshot))
            except ServiceError as error:
                sys.stderr.write(f"{error.text('zh-CN')} / {error.text('en')}\n")
                return 1


async def _migrate(name: str, settings: ServiceSettings, directory: Path, more: Migrate | None) -> int:
    def report(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    try:
        applied = await migrate(settings.database_owner_url, service=name, directory=directory, report=report)
        further = await more() if more is not None else ()
    except MigrationError as error:
        sys.stderr.write(f"数据库迁移失败 / migration failed: {error}\n")
        return 1
    for migration in further:
        report(f"{migration} done")
    if not applied and not further:
        report("nothing to apply")
    return 0


async def _operate(name: str, settings: ServiceSettings, given: argparse.Namespace, snapshot: Snapshot | None) -> int:
    database = Database(settings.database_url, service=name)
    try:
        match given.command:
            case "reconcile":
                count = await reconcile(database, snapshot)
                sys.stdout.write(f"{count} events put into the outbox\n")
                return 0
            case "audit-verify":
                faults = await verify_audit_chain(database)
                sys.stdout.write("".join(f"{fault}\n" for fault in faults) or "the chain is whole\n")
                return 1 if faults else 0
            case "audit-feed":
                count = await feed_from(database, given.from_sequence)
                sys.stdout.write(f"{count} rows wait to be published by the running service\n")
                return 0
            case _:
                return await _dead_letters(database, given)
    finally:
        await database.close()


async def _dead_letters(database: Database, given: argparse.Namespace) -> int:
    if given.action == "list":
        for letter in await list_dead_letters(database):
            sys.stdout.write(
                f"{letter.dead_letter_id}  {letter.failed_at:%Y-%m-%dT%H:%M:%SZ}  {letter.consumer}  "
                f"{letter.subject}  {letter.reason}\n"
            )
        return 0
    if given.action == "discard":
        found = await discard(database, given.dead_letter_id)
        (sys.stdout if found else sys.stderr).write("discarded\n" if found else NO_SUCH_LETTER)
        return 0 if found else 1
    if not await request_replay(database, given.dead_letter_id, now=SystemClock().now()):
        sys.stderr.write(NO_SUCH_LETTER)
        return 1
    waited_s = 0.0
    while waited_s < REPLAY_WAIT_S:
        waiting = {letter.dead_letter_id for letter in await list_dead_letters(database)}
        if not waiting or (given.dead_letter_id != "all" and given.dead_letter_id not in waiting):
            sys.stdout.write("replayed\n")
            return 0
        await asyncio.sleep(REPLAY_LOOK_S)
        waited_s += REPLAY_LOOK_S
    sys.stderr.write(
        "重放尚未成功：服务未运行，或处理再次失败 / not replayed: the service does not run, or failed again\n"
    )
    return 1
