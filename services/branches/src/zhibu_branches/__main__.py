"""The composition root of branches: `python -m zhibu_branches` serves, `… migrate` brings the database up to date."""

import sys
from pathlib import Path
from typing import Final

from zhibu.branches.v1 import organisation_service_pb2
from zhibu_kit.app import Assembly, Runtime
from zhibu_kit.cli import kit_cli
from zhibu_kit.db import Role
from zhibu_kit.scope import Scope

from zhibu_branches.api.organisations import OrganisationApi
from zhibu_branches.organisations import ensure_province
from zhibu_branches.publication import publish_change, snapshot
from zhibu_branches.settings import BranchesSettings

MIGRATIONS: Final = Path(__file__).resolve().parents[2] / "migrations"


async def build(runtime: Runtime[BranchesSettings]) -> Assembly:
    """Make the province when the tree is empty, and the service from its parts."""
    settings = runtime.settings
    async with runtime.database.transaction(Scope.none(), role=Role.PROVINCE) as transaction:
        now = runtime.clock.now()
        province = await ensure_province(
            transaction, code=settings.branches_province_code, name=settings.branches_province_name, now=now
        )
        if province is not None:
            await publish_change(transaction, province, change_time=now)
    api = OrganisationApi(runtime.database, runtime.clock)
    return Assembly(servicers={organisation_service_pb2.DESCRIPTOR.services_by_name["OrganisationService"]: api})


if __name__ == "__main__":
    sys.exit(kit_cli("branches", settings=BranchesSettings, build=build, migrations=MIGRATIONS, snapshot=snapshot))
