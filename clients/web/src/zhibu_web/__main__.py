"""`python -m zhibu_web` serves the pages; `python -m zhibu_web migrate` brings the database of the sessions up to date."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from zhibu_kit import logs
from zhibu_kit.migrations import MigrationError, migrate

from zhibu_web.app import create_app
from zhibu_web.server import make_server
from zhibu_web.settings import WebSettings

MIGRATIONS: Final = Path(__file__).resolve().parents[2] / "migrations"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m zhibu_web")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="serve the pages (default)")
    commands.add_parser("migrate", help="bring the database up to date")
    command = parser.parse_args(arguments).command
    try:
        settings = WebSettings()
    except ValidationError as error:
        reasons = "; ".join(str(one["msg"]) for one in error.errors())
        sys.stderr.write(f"设置有误 / these settings are not valid: {reasons}\n")
        return 2
    logs.configure("web", level=settings.log_level, show_exception_texts=settings.profile == "development")
    if command == "migrate":
        return asyncio.run(_migrate(settings))
    if not settings.session_keys or not settings.database_url or not settings.oidc_issuer:
        sys.stderr.write(
            "缺少设置 / these settings are needed: ZHIBU_WEB_SESSION_KEY, ZHIBU_DATABASE_URL, ZHIBU_OIDC_ISSUER\n"
        )
        return 2
    server = make_server(create_app(settings), settings)
    server.run()
    return 0 if server.started else 1


async def _migrate(settings: WebSettings) -> int:
    try:
        applied = await migrate(settings.database_owner_url, service="web", directory=MIGRATIONS, kit=False)
    except MigrationError as error:
        sys.stderr.write(f"数据库迁移失败 / migration failed: {error}\n")
        return 1
    sys.stdout.write(f"{len(applied)} migrations run\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
