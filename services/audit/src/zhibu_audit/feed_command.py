"""`zhibu-audit feed DIR|URL` and `make-key`: what an operator does with the log by hand."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import httpx
from zhibu_kit.clock import SystemClock
from zhibu_kit.db import Database, Role
from zhibu_kit.errors import ServiceError
from zhibu_kit.scope import Scope
from zhibu_tlog.notes import NoteRefusedError
from zhibu_tlog.reader import DirectoryReader, LogFileMissingError, LogReader, UrlReader
from zhibu_tlog.spelling import MalformedError

from zhibu_audit.feeding import CopyRefusedError, Feeder
from zhibu_audit.key_file import KeyRefusedError, make_key, read_key
from zhibu_audit.origins import key_of_serial, list_origins
from zhibu_audit.places import get_head
from zhibu_audit.settings import AuditSettings

OWN_COMMANDS: Final = ("feed", "make-key")
_FAULTS: Final = (
    CopyRefusedError,
    KeyRefusedError,
    LogFileMissingError,
    MalformedError,
    NoteRefusedError,
    OSError,
    httpx.HTTPError,
)


def run_own_command(arguments: Sequence[str]) -> int:
    """Run `feed` or `make-key` and return the exit status."""
    parser = argparse.ArgumentParser(prog="zhibu-audit")
    commands = parser.add_subparsers(dest="command", required=True)
    feed = commands.add_parser(
        "feed", help="feed entries again from a copy of the log, which stands still for want of them"
    )
    feed.add_argument("copy", help="directory of the copy, or the URL behind which it lies")
    commands.add_parser("make-key", help="make the log's key in ZHIBU_AUDIT_KEY_FILE, once, and print its verifier key")
    given = parser.parse_args(arguments)
    settings = AuditSettings()
    try:
        if given.command == "make-key":
            key = make_key(settings.audit_key_file, settings.audit_origin)
            sys.stdout.write(f"{key.verifier.text}\n")
            return 0
        return asyncio.run(_feed(settings, given.copy))
    except ServiceError as error:
        sys.stderr.write(f"{error.text('zh-CN')} / {error.text('en')}\n")
    except _FAULTS as error:
        sys.stderr.write(f"{error}\n")
    return 1


async def _feed(settings: AuditSettings, copy: str) -> int:
    key = read_key(settings.audit_key_file, settings.audit_origin)
    database = Database(settings.database_url, service="audit")
    with ExitStack() as stack:
        reader: LogReader
        if copy.startswith(("http://", "https://")):
            reader = stack.enter_context(UrlReader(copy))
        else:
            reader = DirectoryReader(Path(copy))
        try:
            async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
                stopped = (await get_head(transaction)).stopped_because
                origins = await list_origins(transaction)
            if not stopped or not origins:
                # Beside a running log, rows would be given the same places twice.
                raise CopyRefusedError("The log does not stand still: there is nothing to feed.")
            origin = origins[-1]
            feeder = Feeder(database, origin, key_of_serial(key, origin.serial).verifier)
            signed = await feeder.check(reader)
            count = await feeder.feed(reader, signed.checkpoint.size, now=SystemClock().now())
        finally:
            await database.close()
    sys.stdout.write(f"{count} entries fed, up to {signed.checkpoint.size}; audit goes on when that is enough\n")
    return 0
