"""Commands for operators: make a bootstrap code, erase a person, wrap keys anew, find telephones apart."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import Final

from zhibu_kit.clock import SystemClock
from zhibu_kit.db import Database
from zhibu_kit.errors import ServiceError

from zhibu_identity.bootstrap import BootstrapError, find_open_code, make_bootstrap_code
from zhibu_identity.certificates.authority import AuthorityUnfitError
from zhibu_identity.certificates.revocation_lists import import_authority
from zhibu_identity.erasures.destroying import erase_person
from zhibu_identity.keys.master import MasterKeyError, MasterKeys
from zhibu_identity.keys.vault import open_vault
from zhibu_identity.settings import IdentitySettings
from zhibu_identity.telephones.apart import find_apart

OWN_COMMANDS: Final = frozenset({"authority-import", "bootstrap", "erase", "rewrap", "telephones-apart"})
REWRAP_BATCH: Final = 500


def run_own_command(arguments: list[str]) -> int:
    """Run one of identity's own commands; its result is one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m zhibu_identity")
    commands = parser.add_subparsers(dest="command", required=True)
    bootstrap = commands.add_parser("bootstrap", help="make a code that gives the first office; it works once")
    bootstrap.add_argument("--organisation", required=True, help="organisation, for example 37")
    bootstrap.add_argument("--office", required=True, help="office, for example province_admin")
    bootstrap.add_argument(
        "--find", action="store_true", help="make none; say until when one that waits to be redeemed is good"
    )
    erase = commands.add_parser("erase", help="destroy a person's key: their data can never be read again")
    erase.add_argument("--member", required=True, help="identifier of the member")
    erase.add_argument("--county", required=True, help="county whose record it is")
    commands.add_parser("rewrap", help="wrap every key with the present master key")
    commands.add_parser(
        "telephones-apart",
        help="list members whose record and e-ID name different telephones, for their counties to mend",
    )
    authority = commands.add_parser(
        "authority-import", help="keep certificate and key of the certificate authority, read from standard input (PEM)"
    )
    authority.set_defaults(pem=sys.stdin)
    given = parser.parse_args(arguments)
    try:
        result = asyncio.run(_run(given, IdentitySettings()))
    except (AuthorityUnfitError, BootstrapError, MasterKeyError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except ServiceError as error:
        sys.stderr.write(f"{error.text('zh-CN')} / {error.text('en')}\n")
        return 1
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


async def _run(given: argparse.Namespace, settings: IdentitySettings) -> dict[str, object]:
    match given.command:
        case "bootstrap":
            return await _bootstrap(settings, organisation_id=given.organisation, office=given.office, find=given.find)
        case "erase":
            return await _erase(settings, member_id=given.member, county_code=given.county)
        case "authority-import":
            return await _import_authority(settings, given.pem.read().encode())
        case "telephones-apart":
            return await _find_apart(settings)
        case _:
            return await _rewrap(settings)


async def _bootstrap(settings: IdentitySettings, *, organisation_id: str, office: str, find: bool) -> dict[str, object]:
    database = Database(settings.database_url, service="identity")
    try:
        if find:
            good_until = await find_open_code(database, SystemClock(), organisation_id=organisation_id, office=office)
            return {"expires_at": good_until.isoformat(timespec="seconds") if good_until else None}
        made = await make_bootstrap_code(database, SystemClock(), organisation_id=organisation_id, office=office)
    finally:
        await database.close()
    return {
        "code": made.code,
        "organisation": organisation_id,
        "office": office,
        "expires_at": made.expires_at.isoformat(timespec="seconds"),
    }


async def _erase(settings: IdentitySettings, *, member_id: str, county_code: str) -> dict[str, object]:
    database = Database(settings.database_url, service="identity")
    vault = await open_vault(settings.key_database_url, MasterKeys.parse(settings.master_key))
    try:
        erased = await erase_person(database, vault, SystemClock(), member_id=member_id, county_code=county_code)
    finally:
        await vault.close()
        await database.close()
    return {"member_id": member_id, "erased": erased}


async def _find_apart(settings: IdentitySettings) -> dict[str, object]:
    database = Database(settings.database_url, service="identity")
    vault = await open_vault(settings.key_database_url, MasterKeys.parse(settings.master_key))
    try:
        found = await find_apart(database, vault)
    finally:
        await vault.close()
        await database.close()
    return {"apart": [{"county": county_code, "member": member_id} for county_code, member_id in found]}


async def _import_authority(settings: IdentitySettings, pem: bytes) -> dict[str, object]:
    vault = await open_vault(settings.key_database_url, MasterKeys.parse(settings.master_key))
    try:
        imported = await import_authority(vault, pem, now=SystemClock().now())
    finally:
        await vault.close()
    if not imported:
        raise AuthorityUnfitError("There is an authority already; it stays.")
    return {"imported": True}


async def _rewrap(settings: IdentitySettings) -> dict[str, object]:
    vault = await open_vault(settings.key_database_url, MasterKeys.parse(settings.master_key))
    count = 0
    try:
        while wrapped := await vault.wrap_anew(most=REWRAP_BATCH):
            count += wrapped
    finally:
        await vault.close()
    return {"rewrapped": count}
