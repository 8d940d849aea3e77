"""The composition root of audit: `python -m zhibu_audit` serves, `… migrate` brings the database up to date."""

import sys
from pathlib import Path
from typing import Final

from zhibu_kit.cli import kit_cli

from zhibu_audit.assembly import build
from zhibu_audit.feed_command import OWN_COMMANDS, run_own_command
from zhibu_audit.settings import AuditSettings

MIGRATIONS: Final = Path(__file__).resolve().parents[2] / "migrations"


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in OWN_COMMANDS:
        return run_own_command(arguments)
    return kit_cli("audit", settings=AuditSettings, build=build, migrations=MIGRATIONS, arguments=arguments)


if __name__ == "__main__":
    sys.exit(main())
