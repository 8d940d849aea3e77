"""e-IDs for a roster beside a raw loop on Keycloak's admin API: what everything that is not Keycloak costs.

    .venv/bin/python bench/eid_issuing.py [--smoke] [--rounds 5] [--people 600]

One Keycloak and one PostgreSQL for all. In each round the same number of accounts is opened by every raw way (`partialImport` of 50, 100
and 200 one after the other, of 100 two side by side, `create_user` with 4 threads; payloads as ours, and nothing else is done), and e-IDs
are issued to as many people by the service's own worker: numbers, seeds, accounts, records, events, offices. The order changes from round
to round. What counts is the ratio within a round: ours to the best raw rate of the same round, one import after the other. Ends with
1 when its median is below the target.
"""

import asyncio
import base64
import itertools
import json
import os
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
import pyotp
from keycloak import KeycloakAdmin
from report import Report, Size, read_sizes, spread
from zhibu_identity.__main__ import KEY_MIGRATIONS, MIGRATIONS
from zhibu_identity.eid_batches.records import create_batch
from zhibu_identity.eid_batches.worker import work_eid_batches
from zhibu_identity.eids.accounts import KeycloakAccounts
from zhibu_identity.keys.index_keys import PROVINCE
from zhibu_identity.keys.master import MasterKeys
from zhibu_identity.keys.numbers import NumberKind
from zhibu_identity.keys.vault import Vault, open_vault
from zhibu_identity.parts import Parts
from zhibu_identity.people.reach import reach_of
from zhibu_identity.people.records import PersonDetails, insert_people, new_person, seal_details
from zhibu_identity.telephones.sending import NotifyTelephones
from zhibu_kit.clock import SystemClock
from zhibu_kit.db import Database
from zhibu_kit.ids import new_ulid
from zhibu_kit.migrations import migrate
from zhibu_kit.projections import OrganisationProjection
from zhibu_kit.scope import Scope
from zhibu_stack.databases import create_plain_database, create_service_databases
from zhibu_stack.engines import Keycloak, Postgres

COUNTY: Final = "370724"
BRANCH: Final = "370724-b01jd0000000000000000000001"
TARGET: Final = 0.9
IMPORTED: Final = (50, 100, 200)
THREADS: Final = 4
BATCH: Final = 500
WARMING_UP: Final = 200
_serials = itertools.count(secrets.randbelow(10**9))

Way = Callable[[int], Awaitable[None]]


class Raw:
    """The raw loop: accounts as ours, opened in several ways."""

    def __init__(self, keycloak: Keycloak) -> None:
        """Act as the clients that identity acts as."""

        def admin_as(client_id: str) -> KeycloakAdmin:
            return KeycloakAdmin(
                server_url=keycloak.url,
                realm_name="zhibu",
                client_id=client_id,
                client_secret_key=keycloak.client_secret(client_id),
                max_retries=0,
                timeout=60,
            )

        self._admins = [admin_as("svc-identity") for _ in range(THREADS)]
        self._importers = [admin_as("zhibu-revocation-list") for _ in range(2)]

    def ways(self) -> dict[str, Way]:
        """Return every way by its name."""
        imports: dict[str, Way] = {f"partialImport of {size}": self._importing(size) for size in IMPORTED}
        return {
            **imports,
            "partialImport of 100, two at a time": self._importing(100, side_by_side=2),
            f"create_user, {THREADS} threads": self._creating,
        }

    def _importing(self, size: int, *, side_by_side: int = 1) -> Way:
        async def open_accounts(count: int) -> None:
            parts = [[_account() for _ in range(min(size, count - first))] for first in range(0, count, size)]

            def work(admin: KeycloakAdmin, mine: list[list[dict[str, Any]]]) -> None:
                for part in mine:
                    admin.partial_import_realm("zhibu", {"ifResourceExists": "SKIP", "users": part})

            shares = [parts[number::side_by_side] for number in range(side_by_side)]
            with ThreadPoolExecutor(side_by_side) as threads:
                loop = asyncio.get_running_loop()
                await asyncio.gather(
                    *(
                        loop.run_in_executor(threads, work, admin, mine)
                        for admin, mine in zip(self._importers, shares, strict=False)
                    )
                )

        return open_accounts

    async def _creating(self, count: int) -> None:
        accounts = [_account() for _ in range(count)]

        def work(admin: KeycloakAdmin, mine: list[dict[str, Any]]) -> None:
            for account in mine:
                admin.create_user(account)

        with ThreadPoolExecutor(THREADS) as threads:
            loop = asyncio.get_running_loop()
            await asyncio.gather(
                *(
                    loop.run_in_executor(threads, work, admin, accounts[number::THREADS])
                    for number, admin in enumerate(self._admins)
                )
            )


def _account() -> dict[str, Any]:
    serial = next(_serials)
    how = {
        "hashIterations": 1,
        "algorithm": "argon2",
        "additionalParameters": {
            "hashLength": ["32"],
            "memory": ["7168"],
            "parallelism": ["1"],
            "type": ["id"],
            "version": ["1.3"],
        },
    }
    secret = {
        "value": base64.b64encode(os.urandom(32)).decode(),
        "salt": base64.b64encode(os.urandom(16)).decode(),
        "additionalParameters": {},
    }
    codes = {
        "subType": "totp",
        "digits": 6,
        "counter": 0,
        "period": 30,
        "algorithm": "HmacSHA256",
        "secretEncoding": "BASE32",
    }
    return {
        "username": f"99{serial:014d}",
        "enabled": True,
        "attributes": {"member_id": [f"{serial:026d}"], "county_code": [COUNTY]},
        "requiredActions": ["UPDATE_PASSWORD"],
        "realmRoles": ["default-roles-zhibu"],
        "credentials": [
            {"type": "password", "secretData": json.dumps(secret), "credentialData": json.dumps(how)},
            {
                "type": "otp",
                "userLabel": "短信验证码",
                "secretData": json.dumps({"value": pyotp.random_base32(32)}),
                "credentialData": json.dumps(codes),
            },
        ],
    }


async def main(rounds: int, people: int, *, smoke: bool) -> int:
    """Start the engines, run the rounds, tell the ratios."""
    report = Report(
        "eid_issuing",
        "电子身份批量签发 / e-IDs issued in batches",
        target=f"at least {TARGET} of the best rate of a raw loop on Keycloak's admin API (median of the rounds)",
        smoke=smoke,
    )
    with tempfile.TemporaryDirectory() as directory:
        postgres = Postgres(Path(directory) / "postgres")
        await asyncio.to_thread(postgres.start)
        try:
            url = await create_plain_database(postgres.dsn(), "keycloak", secrets=postgres.secrets)
            keycloak = Keycloak(Path(directory) / "keycloak", database_url=url, secrets=postgres.secrets)
            await asyncio.to_thread(keycloak.start)
            try:
                await asyncio.to_thread(keycloak.apply_realm)
                rates = await run(postgres, keycloak, rounds=rounds, people=people)
            finally:
                await asyncio.to_thread(keycloak.stop)
        finally:
            await asyncio.to_thread(postgres.stop)
    report.line(f"{people:,} accounts or e-IDs by each way in each of {rounds} rounds, in another order each time.")
    return report.write(missed=tell(report, rates) < TARGET)


async def run(postgres: Postgres, keycloak: Keycloak, *, rounds: int, people: int) -> dict[str, list[float]]:
    """Make the databases, then every way in each round; return how many a second each way did, round by round."""
    made = await create_service_databases(
        postgres.dsn(), ["identity", "identity_keys"], secrets=postgres.secrets, suffix="_bench"
    )
    main_database, key_database = made["identity"], made["identity_keys"]
    await migrate(main_database.owner_url, service="identity", directory=MIGRATIONS)
    await migrate(key_database.owner_url, service="identity_keys", directory=KEY_MIGRATIONS, kit=False)
    owner: asyncpg.Connection = await asyncpg.connect(postgres.dsn(main_database.name))
    await owner.executemany(
        "insert into kit_organisation (organisation_id, parent_id, level, name, county_code, active, version)"
        " values ($1, $2, $3, $4, $5, true, 1)",
        [(COUNTY, "3707", 3, "临朐县", COUNTY), (BRANCH, COUNTY, 5, "临朐县第一党支部", COUNTY)],
    )
    vault = await open_vault(key_database.app_url, MasterKeys.parse(base64.b64encode(os.urandom(32)).decode()))
    database = Database(main_database.app_url, service="identity")
    accounts = KeycloakAccounts(
        issuer=keycloak.issuer,
        client_id="svc-identity",
        client_secret=keycloak.client_secret("svc-identity"),
        list_client=("zhibu-revocation-list", keycloak.client_secret("zhibu-revocation-list")),
    )
    parts = Parts(
        database=database,
        vault=vault,
        province=await vault.index_key(PROVINCE),
        clock=SystemClock(),
        organisations=OrganisationProjection(database),
        accounts=accounts,
        # Nothing is sent to anybody: telephones of rosters are not proven.
        telephones=NotifyTelephones(None),  # pyright: ignore[reportArgumentType]  # never asked
        synthetic_allowed=True,
    )
    ways = Raw(keycloak).ways()
    # Once each before it counts: Java compiles what it runs often.
    for way in ways.values():
        await way(min(WARMING_UP, people))
    await issue(parts, owner, min(WARMING_UP, people))
    rates: dict[str, list[float]] = {name: [] for name in (*ways, "ours")}
    for number in range(rounds):
        names = list(rates)
        random.Random(number).shuffle(names)
        for name in names:
            took_s = await issue(parts, owner, people) if name == "ours" else await timed(ways[name], people)
            rates[name].append(people / took_s)
        told = ", ".join(f"{name} {values[-1]:.0f}" for name, values in rates.items())
        print(f"round {number + 1}: {told} a second", flush=True)
    await accounts.aclose()
    await vault.close()
    await database.close()
    await owner.close()
    return rates


def tell(report: Report, rates: dict[str, list[float]]) -> float:
    """Tell each rate, and the ratios of ours to the best raw one round by round; return the median of those to a loop."""
    report.line("A second, minimum / median / maximum of the rounds:")
    report.table(["way", "a second"], [[name, spread(values, "{:.0f}")] for name, values in rates.items()])
    serial = [name for name in rates if name != "ours" and "at a time" not in name]
    every = [name for name in rates if name != "ours"]
    loop, any_way = ([_ratio(rates, names, at) for at in range(len(rates["ours"]))] for names in (serial, every))
    report.line("Ours ÷ the best of the same round:")
    report.table(
        ["beside", "ratio"],
        [["a raw loop", spread(loop, "{:.2f}")], ["any raw way, two at a time too", spread(any_way, "{:.2f}")]],
    )
    return statistics.median(loop)


def _ratio(rates: dict[str, list[float]], names: list[str], at: int) -> float:
    return rates["ours"][at] / max(rates[name][at] for name in names)


async def timed(way: Way, count: int) -> float:
    """Return how long a raw way takes."""
    began_s = time.monotonic()
    await way(count)
    return time.monotonic() - began_s


async def issue(parts: Parts, owner: asyncpg.Connection, count: int) -> float:
    """Enter people as a roster does, then return how long it takes until the last of them has an e-ID."""
    for first in range(0, count, BATCH):
        await enter(parts.database, parts.vault, min(BATCH, count - first))
    await owner.execute("update person set party_status = 5 where party_status = 0")
    began_s = time.monotonic()
    async with parts.database.transaction(Scope.of(COUNTY)) as transaction:
        batch, _ = await create_batch(
            transaction, parts, await reach_of(transaction, COUNTY), organisation_id=COUNTY, member_id=new_ulid()
        )
    assert batch.total_count == count
    while await owner.fetchval("select finished_at is null from eid_batch where eid_batch_id = $1", batch.eid_batch_id):
        # An attempt that Keycloak was too slow for is repeated after a pause, as in service.
        await work_eid_batches(parts)
        await asyncio.sleep(0.01)
    took_s = time.monotonic() - began_s
    issued = await owner.fetchval("select issued_count from eid_batch where eid_batch_id = $1", batch.eid_batch_id)
    assert issued == count, f"{issued} of {count} were issued"
    return took_s


async def enter(database: Database, vault: Vault, count: int) -> None:
    """Make people known, with keys and numbers, through the service's own code."""
    now = datetime.now(UTC)
    numbers = {new_ulid(): f"990724{next(_serials):011d}X" for _ in range(count)}
    keys = await vault.create_members(list(numbers), COUNTY, now=now)
    await vault.numbers.put_of_many(
        COUNTY, {member_id: [(NumberKind.RESIDENT, number)] for member_id, number in numbers.items()}
    )
    records = [
        new_person(
            member_id=member_id,
            county_code=COUNTY,
            branch_id=BRANCH,
            details=seal_details(
                PersonDetails(real_name="王建国", resident_number=number, telephone="12000000001"), keys[member_id]
            ),
            in_roster=True,
            now=now,
        )
        for member_id, number in numbers.items()
    ]
    async with database.transaction(Scope.of(COUNTY)) as transaction:
        await insert_people(transaction, records)
    await vault.confirm_many(list(numbers), COUNTY)


if __name__ == "__main__":
    given = read_sizes(__doc__, rounds=Size(full=5, smoke=1), people=Size(full=600, smoke=20))
    sys.exit(asyncio.run(main(given.rounds, given.people, smoke=given.smoke)))
