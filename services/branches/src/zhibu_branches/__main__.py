"""The composition root of branches: `python -m zhibu_branches` serves, `… migrate` brings the database up to date."""

import sys
from pathlib import Path
from typing import Final

from zhibu_kit.cli import kit_cli

from zhibu_branches.assembly import build, snapshot
from zhibu_branches.settings import BranchesSettings

__all__ = ["MIGRATIONS", "build", "snapshot"]

MIGRATIONS: Final = Path(__file__).resolve().parents[2] / "migrations"

if __name__ == "__main__":
    sys.exit(kit_cli("branches", settings=BranchesSettings, build=build, migrations=MIGRATIONS, snapshot=snapshot))
