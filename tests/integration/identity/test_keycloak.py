"""Accounts at a real Keycloak: opened once, logged in to with the code of the key database's seed, closed for good."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import AsyncGenerator
from dataclasses import replace

import pyotp
import pytest
from integration.identity.keycloak_log_in import OWN_PASSWORD, ask_token, code_of, log_in, set_own_password
from integration.identity.running_identity import LINQU, QINGZHOU, Applicant
from integration.identity.setting_up import Workbench
from integration.identity.working_by_hand import (
    approve_by_hand,
    eids_of,
    file_by_hand,
    undo_by_hand,
    work_to_the_end,
    work_with_a_power_cut,
)
from joserfc import jws
from keycloak import KeycloakAdmin
from pyotp.totp import TOTP
from support.metrics_text import value_of
from zhibu_identity.eids.accounts import AccountsError, ForeignAccountError, KeycloakAccounts, NewAccount
from zhibu_identity.eids.activation import make_activation_code
from zhibu_identity.eids.records import RevocationReason, open_number
from zhibu_identity.eids.revoking import revoke_eid
from zhibu_identity.rules.numbers import eid_number_of
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope
from zhibu_kit.telemetry import Telemetry
from zhibu_stack.engines import Keycloak
from zhibu_stack.testing import shared_keycloak

pytestmark = [pytest.mark.keycloak, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def keycloak() -> Keycloak:
    return shared_keycloak()


@pytest.fixture(scope="module")
def admin(keycloak: Keycloak) -> KeycloakAdmin:
    return KeycloakAdmin(
        server_url=keycloak.url,
        realm_name="zhibu",
        client_id="svc-identity",
        client_secret_key=keycloak.client_secret("svc-identity"),
        max_retries=0,
    )


@pytest.fixture
async def accounts(keycloak: Keycloak) -> AsyncGenerator[KeycloakAccounts]:
    accounts = KeycloakAccounts(
        issuer=keycloak.issuer, client_id="svc-identity", client_secret=keycloak.client_secret("svc-identity")
    )
    yield accounts
    await accounts.aclose()


@pytest.fixture
def bench(workbench: Workbench, accounts: KeycloakAccounts) -> Workbench:
    """The workbench with the real Keycloak. Its numbers begin where no other test's are."""
    return replace(workbench, parts=replace(workbench.parts, accounts=accounts))


def new_account(**values: str) -> NewAccount:
    given = {
        "eid_number": eid_number_of("370799", 2026, sequence=secrets.randbelow(9_000_000) + 1),
        "member_id": new_ulid(),
        "county_code": LINQU,
        "totp_seed": pyotp.random_base32(32),
    }
    return NewAccount(**{**given, **values})


async def test_a_member_logs_in_with_an_own_password_and_the_code_of_the_seed(
    keycloak: Keycloak, accounts: KeycloakAccounts, admin: KeycloakAdmin
) -> None:
    account = new_account()
    account_id = await accounts.open(account)
    await accounts.set_activation_code(account_id, "ACTIVATION")
    assert not await accounts.has_own_password(account_id)
    first = log_in(keycloak, account, password="ACTIVATION", totp=code_of(account))
    assert (first.status_code, first.json()["error_description"]) == (400, "Account is not fully set up")
    set_own_password(admin, account_id)
    assert await accounts.has_own_password(account_id)
    wrong = log_in(keycloak, account, password=OWN_PASSWORD, totp="000000")
    assert wrong.json()["error"] == "invalid_grant", wrong.text
    # The first log-in used up the code of its half minute; the member asks for another one.
    fresh = TOTP(account.totp_seed, digest=hashlib.sha256).at(int(time.time()) + 30)
    answer = log_in(keycloak, account, password=OWN_PASSWORD, totp=fresh)
    assert answer.status_code == 200, answer.text
    payload = jws.extract_compact(answer.json()["access_token"].encode()).payload
    claims = json.loads(payload)
    assert (claims["sub"], claims["member_id"], claims["county_code"]) == (account_id, account.member_id, LINQU)


async def test_opening_twice_is_opening_once_and_a_strangers_account_is_not_adopted(
    accounts: KeycloakAccounts, admin: KeycloakAdmin
) -> None:
    account = new_account()
    assert await accounts.open(account) == await accounts.open(account)
    assert len(admin.get_users({"username": account.eid_number, "exact": True})) == 1
    with pytest.raises(ForeignAccountError):
        await accounts.open(replace(account, member_id=new_ulid()))


async def test_a_closed_account_lets_nobody_in_and_ends_its_sessions(
    keycloak: Keycloak, accounts: KeycloakAccounts, admin: KeycloakAdmin
) -> None:
    account = new_account()
    account_id = await accounts.open(account)
    set_own_password(admin, account_id)
    session = log_in(keycloak, account, password=OWN_PASSWORD, totp=code_of(account)).json()
    await accounts.close(account_id)
    await accounts.close(account_id)
    refreshed = ask_token(keycloak, grant_type="refresh_token", refresh_token=session["refresh_token"])
    assert refreshed.status_code == 400
    attributes = admin.get_user(account_id)["attributes"]
    assert (attributes.get("member_id"), attributes["closed_member_id"]) == (None, [account.member_id])
    later = TOTP(account.totp_seed, digest=hashlib.sha256).at(int(time.time()) + 30)
    assert log_in(keycloak, account, password=OWN_PASSWORD, totp=later).status_code >= 400


async def test_a_renewed_account_opens_with_the_new_code_and_seed_alone(
    keycloak: Keycloak, accounts: KeycloakAccounts, admin: KeycloakAdmin
) -> None:
    account = new_account()
    account_id = await accounts.open(account)
    set_own_password(admin, account_id)
    session = log_in(keycloak, account, password=OWN_PASSWORD, totp=code_of(account)).json()
    renewed = replace(account, totp_seed=pyotp.random_base32(32))
    # Done twice, it is as after the second time.
    for code in ("FIRSTCODE1", "SECONDCODE"):
        await accounts.renew(account_id, totp_seed=renewed.totp_seed, code=code)
    refreshed = ask_token(keycloak, grant_type="refresh_token", refresh_token=session["refresh_token"])
    assert refreshed.status_code == 400
    assert sorted(one["type"] for one in admin.get_credentials(account_id)) == ["otp", "password"]
    assert not await accounts.has_own_password(account_id)
    for password, seeded in ((OWN_PASSWORD, renewed), ("FIRSTCODE1", renewed), ("SECONDCODE", account)):
        refused = log_in(keycloak, renewed, password=password, totp=code_of(seeded))
        assert refused.json()["error_description"] == "Invalid user credentials", password
    first = log_in(keycloak, renewed, password="SECONDCODE", totp=code_of(renewed))
    assert (first.status_code, first.json()["error_description"]) == (400, "Account is not fully set up")
    assert admin.get_user(account_id)["attributes"]["member_id"] == [account.member_id]


async def test_tokens_of_an_account_that_moved_name_the_other_county(
    keycloak: Keycloak, accounts: KeycloakAccounts, admin: KeycloakAdmin
) -> None:
    account = new_account()
    account_id = await accounts.open(account)
    set_own_password(admin, account_id)
    await accounts.set_county(account_id, QINGZHOU)
    answer = log_in(keycloak, account, password=OWN_PASSWORD, totp=code_of(account))
    claims = json.loads(jws.extract_compact(answer.json()["access_token"].encode()).payload)
    assert (claims["member_id"], claims["county_code"]) == (account.member_id, QINGZHOU)


async def test_only_the_members_own_account_is_deleted(accounts: KeycloakAccounts, admin: KeycloakAdmin) -> None:
    account = new_account()
    account_id = await accounts.open(account)
    await accounts.delete(eid_number=account.eid_number, member_id=new_ulid())
    assert admin.get_user(account_id)["enabled"]
    for _ in range(2):
        await accounts.delete(eid_number=account.eid_number, member_id=account.member_id)
    assert admin.get_users({"username": account.eid_number, "exact": True}) == []
    assert not await accounts.has_own_password(account_id)
    await accounts.close(account_id)


async def test_a_keycloak_that_is_not_there_is_told_as_such(keycloak: Keycloak) -> None:
    telemetry = Telemetry("identity", sample_ratio=0.0)
    nowhere = KeycloakAccounts(
        issuer="http://127.0.0.1:9/realms/zhibu",
        client_id="svc-identity",
        client_secret="secret",
        telemetry=telemetry,
    )
    try:
        with pytest.raises(AccountsError):
            await nowhere.open(new_account())
        with pytest.raises(AccountsError):
            await nowhere.close(new_ulid())
    finally:
        await nowhere.aclose()
    metrics = telemetry.render_metrics().decode()
    for operation in ("open", "close"):
        labels = {"operation": operation, "outcome": "failed"}
        assert value_of(metrics, "zhibu_keycloak_duration_seconds_count", **labels) == 1


async def test_issuing_that_is_cut_off_after_keycloak_answered_ends_with_one_account(
    bench: Workbench, admin: KeycloakAdmin
) -> None:
    # A county of its own year after year: the number must not meet one of another run of these tests.
    application = await approve_by_hand(bench, await file_by_hand(bench, Applicant(real_name="王𠮷")))
    await work_with_a_power_cut(bench, "account opened")
    await work_to_the_end(bench)
    (eid,) = await eids_of(bench, application)
    found = admin.get_users({"q": f"member_id:{application.member_id}"})
    assert [account["id"] for account in found] == [eid.account_id]
    key = await bench.vault.find_member_key(application.member_id, LINQU)
    number = open_number(eid, key)
    assert found[0]["username"] == number
    made = await make_activation_code(bench.parts, eid)
    assert len(made.code) == 10
    async with bench.parts.database.transaction(Scope.of(LINQU)) as transaction:
        await revoke_eid(transaction, bench.parts, eid, reason=RevocationReason.LEFT, note=None)
    await work_to_the_end(bench)
    assert admin.get_user(eid.account_id)["enabled"] is False
    admin.delete_user(eid.account_id)


async def test_an_approval_that_is_undone_leaves_no_account(bench: Workbench, admin: KeycloakAdmin) -> None:
    application = await approve_by_hand(bench, await file_by_hand(bench))
    await work_to_the_end(bench)
    await undo_by_hand(bench, application)
    await work_to_the_end(bench)
    assert admin.get_users({"q": f"member_id:{application.member_id}"}) == []
