"""Many accounts at a real Keycloak: imported by the hundred they are like those that are opened one by one."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any, cast

import pyotp
import pytest
from integration.identity.keycloak_log_in import OWN_PASSWORD, code_of, log_in, set_own_password
from integration.identity.people_by_hand import RosterPerson, enter_people, give_status
from integration.identity.running_identity import CLERK, LINQU
from integration.identity.setting_up import Workbench
from keycloak import KeycloakAdmin
from zhibu_identity.eid_batches.records import create_batch, get_batch
from zhibu_identity.eid_batches.worker import work_eid_batches
from zhibu_identity.eids.accounts import AccountRefusedError, AccountsError, Coded, KeycloakAccounts, NewAccount
from zhibu_identity.people.reach import reach_of
from zhibu_identity.rules.numbers import eid_number_of
from zhibu_identity.tasks.leases import LEASE
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope
from zhibu_stack.engines import Keycloak
from zhibu_stack.testing import shared_keycloak

pytestmark = [pytest.mark.keycloak, pytest.mark.timeout(300)]

SCOPE = Scope.of(LINQU)


@pytest.fixture(scope="module")
def keycloak() -> Keycloak:
    return shared_keycloak()


@pytest.fixture(scope="module")
def admin(keycloak: Keycloak) -> KeycloakAdmin:
    """Act as who may see everything of an account: the realm's administrator."""
    return KeycloakAdmin(
        server_url=keycloak.url,
        realm_name="zhibu",
        user_realm_name="master",
        client_id="zhibu-admin",
        client_secret_key=keycloak.admin_secret,
        max_retries=0,
    )


@pytest.fixture
async def accounts(keycloak: Keycloak) -> AsyncGenerator[KeycloakAccounts]:
    accounts = KeycloakAccounts(
        issuer=keycloak.issuer,
        client_id="svc-identity",
        client_secret=keycloak.client_secret("svc-identity"),
        list_client=("zhibu-revocation-list", keycloak.client_secret("zhibu-revocation-list")),
    )
    yield accounts
    await accounts.aclose()


def new_account() -> NewAccount:
    return NewAccount(
        eid_number=eid_number_of("370798", 2026, sequence=secrets.randbelow(9_000_000) + 1),
        member_id=new_ulid(),
        county_code=LINQU,
        totp_seed=pyotp.random_base32(32),
    )


def kind_of(admin: KeycloakAdmin, account_id: str) -> dict[str, Any]:
    """Return everything about an account that does not say whose it is."""
    account = cast("dict[str, Any]", admin.get_user(account_id))
    for own in ("id", "username", "createdTimestamp"):
        del account[own]
    account["attributes"].pop("member_id")
    credentials = cast("list[dict[str, Any]]", admin.get_credentials(account_id))
    account["credentials"] = [
        {name: value for name, value in one.items() if name not in ("id", "createdDate")} for one in credentials
    ]
    account["roles"] = sorted(role["name"] for role in admin.get_composite_realm_roles_of_user(account_id))
    account["groups"] = admin.get_user_groups(account_id)
    return account


async def test_imported_accounts_are_like_those_opened_one_by_one(
    accounts: KeycloakAccounts, admin: KeycloakAdmin
) -> None:
    one, many = new_account(), [new_account() for _ in range(3)]
    single = kind_of(admin, await accounts.open(one))
    opened = await accounts.open_many(many)
    assert set(opened) == {account.eid_number for account in many}
    for account_id in opened.values():
        assert kind_of(admin, account_id) == single
    assert "default-roles-zhibu" in single["roles"]
    assert [credential["type"] for credential in single["credentials"]] == ["password", "otp"]


async def test_opening_many_again_opens_the_missing_ones_and_adopts_none_of_others(
    accounts: KeycloakAccounts, admin: KeycloakAdmin
) -> None:
    first, second, foreign = many = [new_account() for _ in range(3)]
    opened = await accounts.open_many([first])
    await accounts.open(replace(foreign, member_id=new_ulid()))
    again = await accounts.open_many(many)
    assert set(again) == {first.eid_number, second.eid_number}
    assert again[first.eid_number] == opened[first.eid_number]
    for account in many:
        assert len(admin.get_users({"username": account.eid_number, "exact": True})) == 1


async def test_where_nobody_may_import_accounts_are_opened_one_by_one(keycloak: Keycloak, admin: KeycloakAdmin) -> None:
    without = KeycloakAccounts(
        issuer=keycloak.issuer, client_id="svc-identity", client_secret=keycloak.client_secret("svc-identity")
    )
    try:
        many = [new_account() for _ in range(5)]
        opened = await without.open_many(many)
    finally:
        await without.aclose()
    assert set(opened) == {account.eid_number for account in many}
    kinds = [kind_of(admin, account_id) for account_id in opened.values()]
    assert kinds == [kinds[0]] * 5


@pytest.mark.parametrize("may_import", [True, False])
async def test_an_account_that_keycloak_does_not_take_is_told_apart_and_the_others_are_opened(
    keycloak: Keycloak, accounts: KeycloakAccounts, admin: KeycloakAdmin, *, may_import: bool
) -> None:
    without = KeycloakAccounts(
        issuer=keycloak.issuer, client_id="svc-identity", client_secret=keycloak.client_secret("svc-identity")
    )
    # Longer than a name may be.
    bad = replace(new_account(), eid_number="3" * 300)
    good = [new_account() for _ in range(2)]
    try:
        with pytest.raises(AccountRefusedError):
            await (accounts if may_import else without).open_many([good[0], bad, good[1]])
    finally:
        await without.aclose()
    for account in good:
        assert len(admin.get_users({"username": account.eid_number, "exact": True})) == 1


async def test_codes_of_a_sheet_open_the_accounts_that_wait_and_no_others(
    keycloak: Keycloak, accounts: KeycloakAccounts, admin: KeycloakAdmin
) -> None:
    waiting, used = new_account(), new_account()
    opened = await accounts.open_many([waiting, used])
    waiting_id, used_id, gone_id = opened[waiting.eid_number], opened[used.eid_number], new_ulid()
    set_own_password(admin, used_id)
    done = await accounts.set_activation_codes({waiting_id: "ACTIVATION", used_id: "ACTIVATION", gone_id: "ACTIVATION"})
    assert done == {waiting_id: Coded.SET, used_id: Coded.IN_USE, gone_id: Coded.GONE}
    assert log_in(keycloak, used, password=OWN_PASSWORD, totp=code_of(used)).status_code == 200
    first = log_in(keycloak, waiting, password="ACTIVATION", totp=code_of(waiting))
    assert (first.status_code, first.json()["error_description"]) == (400, "Account is not fully set up")
    await accounts.end_activation_code(waiting_id)
    ended = log_in(keycloak, waiting, password="ACTIVATION", totp=code_of(waiting))
    assert ended.json()["error_description"] == "Invalid user credentials"
    assert not await accounts.has_own_password(waiting_id)
    # An account that is gone has no code to end.
    await accounts.end_activation_code(gone_id)


async def test_a_keycloak_that_is_not_there_is_told_as_such() -> None:
    nowhere = KeycloakAccounts(
        issuer="http://127.0.0.1:9/realms/zhibu",
        client_id="svc-identity",
        client_secret="secret",
        list_client=("zhibu-revocation-list", "secret"),
    )
    try:
        with pytest.raises(AccountsError):
            await nowhere.open_many([new_account()])
        with pytest.raises(AccountsError):
            await nowhere.set_activation_codes({new_ulid(): "ACTIVATION"})
    finally:
        await nowhere.aclose()


async def test_a_batch_that_is_cut_off_after_keycloak_answered_ends_with_one_account_for_each(
    workbench: Workbench, accounts: KeycloakAccounts, admin: KeycloakAdmin
) -> None:
    bench = replace(workbench, parts=replace(workbench.parts, accounts=accounts))
    people = [RosterPerson() for _ in range(12)]
    member_ids = [one.member_id for one in people]
    await enter_people(bench.parts, people)
    await give_status(bench.databases, member_ids, 5)
    # Numbers that no other run of these tests meets: accounts outlive the workbench.
    await bench.databases.owner.execute(
        "insert into county_sequence values ($1, 2, 2026, $2)", LINQU, secrets.randbelow(9_000_000)
    )
    async with bench.parts.database.transaction(SCOPE) as transaction:
        batch, _ = await create_batch(
            transaction,
            bench.parts,
            await reach_of(transaction, LINQU),
            organisation_id=LINQU,
            member_id=CLERK.member_id,
        )
    with pytest.raises(BaseExceptionGroup):
        await work_eid_batches(bench.cut_at("accounts opened"))
    bench.clock.advance(LEASE.total_seconds() + 1)
    await work_eid_batches(bench.parts)
    async with bench.parts.database.transaction(SCOPE) as transaction:
        done = await get_batch(transaction, batch.eid_batch_id, organisation_id=LINQU)
    assert (done.done, done.issued_count, done.failed_count) == (True, 12, 0)
    rows = await bench.databases.owner.fetch("select member_id, account_id from eid")
    stored = {row["member_id"]: row["account_id"] for row in rows}
    found = {
        member_id: [account["id"] for account in admin.get_users({"q": f"member_id:{member_id}"})]
        for member_id in member_ids
    }
    assert found == {member_id: [stored[member_id]] for member_id in member_ids}
    for account_id in stored.values():
        admin.delete_user(account_id)
