"""identity as a process, killed in the middle of a batch of e-IDs, with a real Keycloak that goes on with what it was asked."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from integration.identity.people_by_hand import RosterPerson, enter_people, give_status
from integration.identity.running_identity import CLERK, LINQU
from integration.identity.setting_up import Databases, Workbench
from keycloak import KeycloakAdmin
from support.identity_stream import prepare_identity_stream
from support.rpc import bearer
from support.service_process import ServiceProcess, environment_of
from zhibu.identity.v1 import eid_batch_service_pb2 as pb
from zhibu.identity.v1.eid_batch_service_pb2_grpc import EidBatchServiceStub
from zhibu_identity.eid_batches.worker import PART_SIZE
from zhibu_identity.tasks.leases import LEASE
from zhibu_kit.clock import SystemClock
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until
from zhibu_stack.engines import Keycloak
from zhibu_stack.testing import shared_keycloak

pytestmark = [pytest.mark.keycloak, pytest.mark.slow, pytest.mark.timeout(600)]

# Two parts are under way side by side; the third is still to come when the first is done.
PEOPLE = 3 * PART_SIZE
# What the machine may take for a few seconds of work.
WORK_S = 180.0
LOOK_EVERY_S = 0.02


@pytest.fixture
async def identity(
    workbench_databases: Databases, nats: NatsServer, tmp_path: Path
) -> AsyncGenerator[tuple[ServiceProcess, TokenIssuer]]:
    """identity as its operator starts it, with our Keycloak's admin API."""
    keycloak, databases = shared_keycloak(), workbench_databases
    await prepare_identity_stream(nats)
    with TokenIssuer() as issuer:
        process = ServiceProcess(
            "identity",
            {
                **environment_of("identity", databases.main, nats, issuer),
                "ZHIBU_KEY_DATABASE_URL": databases.keys.app_url,
                "ZHIBU_KEY_DATABASE_OWNER_URL": databases.keys.owner_url,
                "ZHIBU_MASTER_KEY": databases.master_key,
                "ZHIBU_KEYCLOAK_URL": keycloak.issuer,
                "ZHIBU_OIDC_CLIENT_ID": "svc-identity",
                "ZHIBU_OIDC_CLIENT_SECRET": keycloak.client_secret("svc-identity"),
                "ZHIBU_KEYCLOAK_LIST_CLIENT_SECRET": keycloak.client_secret("zhibu-revocation-list"),
            },
            log=tmp_path / "identity.log",
        )
        await process.start()
        yield process, issuer
        await process.stop()


async def test_killed_in_the_middle_of_a_batch_identity_goes_on_and_everybody_has_one_account_and_one_e_id(
    workbench: Workbench, identity: tuple[ServiceProcess, TokenIssuer]
) -> None:
    process, issuer = identity
    owner = workbench.databases.owner
    member_ids = await enter_entitled(workbench)
    # Numbers that no other test meets: they share the Keycloak.
    await owner.execute("insert into county_sequence values ($1, 2, 2026, $2)", LINQU, secrets.randbelow(9_000_000))
    request = pb.CreateEidBatchRequest(organisation_id=LINQU, request_id=new_ulid())
    token = issuer.token(CLERK.account_id, member_id=CLERK.member_id, county_code=LINQU)
    created = await EidBatchServiceStub(process.channel).CreateEidBatch(request, metadata=bearer(token))
    assert created.eid_batch.total_count == PEOPLE

    async def batch() -> Mapping[str, Any]:
        await asyncio.sleep(LOOK_EVERY_S)
        row = await owner.fetchrow("select * from eid_batch")
        assert row is not None
        return row

    async def issued_some() -> bool:
        return (await batch())["issued_count"] > 0

    async def finished() -> bool:
        return (await batch())["finished_at"] is not None

    await wait_until(issued_some, timeout_s=WORK_S)
    await process.kill()
    cut_off = await batch()
    assert (cut_off["finished_at"], 0 < cut_off["issued_count"] < PEOPLE) == (None, True)
    await process.start()
    await wait_until(finished, timeout_s=LEASE.total_seconds() + WORK_S)
    done = await batch()
    assert (done["issued_count"], done["failed_count"], done["skipped_count"]) == (PEOPLE, 0, 0)
    assert done["lease"] > cut_off["lease"]
    rows = await owner.fetch("select member_id, account_id from eid where state <> 3")
    stored = {str(row["member_id"]): str(row["account_id"]) for row in rows}
    assert (len(rows), set(stored)) == (PEOPLE, set(member_ids))
    assert await asyncio.to_thread(accounts_of, shared_keycloak(), member_ids) == {
        member_id: [account_id] for member_id, account_id in stored.items()
    }
    seeds = await workbench.databases.keys_owner.fetchval("select count(*) from totp_seed")
    assert seeds == PEOPLE


async def enter_entitled(workbench: Workbench) -> list[str]:
    people = [RosterPerson() for _ in range(PEOPLE)]
    # By the time of day: keys that stand unconfirmed since long ago are swept by the running process.
    await enter_people(replace(workbench.parts, clock=SystemClock()), people)
    member_ids = [one.member_id for one in people]
    await give_status(workbench.databases, member_ids, 5)
    return member_ids


def accounts_of(keycloak: Keycloak, member_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return the accounts of each member, as Keycloak has them."""
    admin = KeycloakAdmin(
        server_url=keycloak.url,
        realm_name="zhibu",
        user_realm_name="master",
        client_id="zhibu-admin",
        client_secret_key=keycloak.admin_secret,
        max_retries=0,
    )
    return {
        member_id: [str(account["id"]) for account in admin.get_users({"q": f"member_id:{member_id}"})]
        for member_id in member_ids
    }
