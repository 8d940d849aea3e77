"""The composition root of identity: `python -m zhibu_identity` serves; `migrate`, `bootstrap` and others are for operators."""

import sys
from pathlib import Path
from typing import Final

from zhibu_kit.cli import kit_cli
from zhibu_kit.migrations import migrate

from zhibu_identity.assembly import build
from zhibu_identity.operating import OWN_COMMANDS, run_own_command
from zhibu_identity.settings import IdentitySettings
from zhibu_identity.snapshot import snapshot

SERVICE_DIRECTORY: Final = Path(__file__).resolve().parents[2]
MIGRATIONS: Final = SERVICE_DIRECTORY / "migrations"
KEY_MIGRATIONS: Final = SERVICE_DIRECTORY / "migrations_keys"


async def migrate_keys() -> tuple[str, ...]:
    """Bring the key database up to date."""
    url = IdentitySettings().key_database_owner_url
    return await migrate(url, service="identity_keys", directory=KEY_MIGRATIONS, kit=False)


def main(arguments: list[str]) -> int:
    """Run one command and return the exit status."""
    if arguments and arguments[0] in OWN_COMMANDS:
        return run_own_command(arguments)
    return kit_cli(
        "identity",
        settings=IdentitySettings,
        build=build,
        migrations=MIGRATIONS,
        snapshot=snapshot,
        more_migrations=migrate_keys,
        arguments=arguments,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
