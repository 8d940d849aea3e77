"""The realm on a real Keycloak: who gets a token, what it says, and what nobody can do."""

import json
from typing import Any

import httpx
import pytest
from keycloak import KeycloakAdmin
from keycloak.exceptions import KeycloakError
from zhibu_stack.engines import Keycloak
from zhibu_stack.engines.keycloak import ADMIN_CLIENT
from zhibu_stack.keycloak.apply import Applier
from zhibu_stack.keycloak.realm_model import RealmSettings, read_realm

from .keycloak_people import as_identity, ask_token, claims, log_in, make_person

# The first test waits for Keycloak's start.
pytestmark = [pytest.mark.keycloak, pytest.mark.timeout(400)]

OPENID = "protocol/openid-connect"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.fixture
def admin(keycloak: Keycloak) -> KeycloakAdmin:
    return KeycloakAdmin(
        server_url=keycloak.url,
        realm_name="zhibu",
        user_realm_name="master",
        client_id=ADMIN_CLIENT,
        client_secret_key=keycloak.admin_secret,
        max_retries=0,
    )


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses to which the realm is written."""
    seen: list[str] = []
    for method in ("put", "post", "delete"):
        original = getattr(Applier, method)

        def counted(self: Applier, path: str, *body: Any, original: Any = original) -> None:
            seen.append(path)
            original(self, path, *body)

        monkeypatch.setattr(Applier, method, counted)
    return seen


def test_password_and_code_give_a_token_that_says_who_and_where(keycloak: Keycloak) -> None:
    person = make_person(keycloak)
    answer = log_in(keycloak, person, totp=person.code())
    assert answer.status_code == 200
    token = claims(answer.json()["access_token"])
    assert {name: token.get(name) for name in ("iss", "sub", "azp", "aud", "member_id", "county_code", "service")} == {
        "iss": keycloak.issuer,
        "sub": person.account_id,
        "azp": "zhibu-demo",
        "aud": "zhibu-api",
        "member_id": "01jd0000000000000000000000",
        "county_code": "370724",
        "service": None,
    }
    assert token["exp"] - token["iat"] == 300
    assert "zhibu-api" in token["scope"].split()


def test_a_token_is_refused_without_a_code_and_with_a_wrong_one(keycloak: Keycloak) -> None:
    person = make_person(keycloak)
    wrong = f"{(int(person.code()) + 1) % 10**6:06d}"
    assert log_in(keycloak, person).json()["error"] == "invalid_grant"
    assert log_in(keycloak, person, totp=wrong).json()["error"] == "invalid_grant"


def test_a_code_works_once(keycloak: Keycloak) -> None:
    person = make_person(keycloak)
    code = person.code()
    assert log_in(keycloak, person, totp=code).status_code == 200
    assert log_in(keycloak, person, totp=code).json()["error"] == "invalid_grant"


def test_a_code_is_good_for_nearly_five_minutes_and_not_for_longer(keycloak: Keycloak) -> None:
    person = make_person(keycloak)
    assert log_in(keycloak, person, totp=person.code(age_s=360)).json()["error"] == "invalid_grant"
    assert log_in(keycloak, person, totp=person.code(age_s=270)).status_code == 200


def test_nobody_gets_a_token_before_setting_a_password_of_their_own(keycloak: Keycloak) -> None:
    person = make_person(keycloak, required_actions=("UPDATE_PASSWORD",))
    answer = log_in(keycloak, person, totp=person.code())
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_wrong_passwords_close_an_account_for_ten_seconds_at_most_and_never_for_good(
    keycloak: Keycloak, admin: KeycloakAdmin
) -> None:
    person = make_person(keycloak)
    for _ in range(32):
        log_in(keycloak, person, password="wrong-password", totp="000000")
    assert log_in(keycloak, person, totp=person.code()).status_code != 200
    state: Any = admin.get_user(person.account_id)
    assert state["enabled"] is True
    realm: Any = admin.get_realm("zhibu")
    assert (realm["permanentLockout"], realm["maxFailureWaitSeconds"]) == (False, 10)


@pytest.mark.parametrize("service", ["identity", "branches", "notify", "gateway"])
def test_a_service_account_says_which_service_it_is(keycloak: Keycloak, service: str) -> None:
    client = f"svc-{service}"
    answer = ask_token(
        keycloak, grant_type="client_credentials", client_id=client, client_secret=keycloak.client_secret(client)
    )
    token = claims(answer.json()["access_token"])
    assert (token["service"], token["azp"], "zhibu-api" in token["aud"]) == (service, client, True)


def test_a_service_account_needs_its_own_secret(keycloak: Keycloak) -> None:
    answer = ask_token(
        keycloak,
        grant_type="client_credentials",
        client_id="svc-identity",
        client_secret=keycloak.client_secret("svc-notify"),
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized_client")


def test_only_identity_manages_people_and_not_even_identity_the_realm(keycloak: Keycloak) -> None:
    person = make_person(keycloak)
    identity = as_identity(keycloak)
    identity.update_user(person.account_id, {"enabled": False})
    assert log_in(keycloak, person, totp=person.code()).status_code != 200
    with pytest.raises(KeycloakError):
        identity.update_realm("zhibu", {"bruteForceProtected": False})
    token = ask_token(
        keycloak,
        grant_type="client_credentials",
        client_id="svc-notify",
        client_secret=keycloak.client_secret("svc-notify"),
    ).json()["access_token"]
    answer = httpx.get(
        f"{keycloak.url}/admin/realms/zhibu/users", headers={"Authorization": f"Bearer {token}"}, trust_env=False
    )
    assert answer.status_code == 403


def test_a_member_cannot_change_the_account_or_take_off_the_second_factor(keycloak: Keycloak) -> None:
    person = make_person(keycloak)
    token = log_in(keycloak, person, totp=person.code()).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    for path in ("account", "account/credentials"):
        answer = httpx.get(f"{keycloak.issuer}/{path}", headers=headers, trust_env=False)
        assert answer.status_code >= 400


def test_the_web_client_must_use_pkce_and_its_own_address(keycloak: Keycloak) -> None:
    keycloak.apply_realm(web_url="http://localhost:7000")
    query = {
        "client_id": "zhibu-web",
        "response_type": "code",
        "scope": "openid",
        "redirect_uri": "http://localhost:7000/callback",
    }
    address = f"{keycloak.issuer}/{OPENID}/auth"
    without = httpx.get(address, params=query, trust_env=False)
    assert "error=invalid_request" in without.headers["location"]
    proof = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    assert httpx.get(address, params={**query, **proof}, trust_env=False).status_code == 200
    elsewhere = httpx.get(address, params={**query, **proof, "redirect_uri": "http://evil.test/"}, trust_env=False)
    assert (elsewhere.status_code, "location" in elsewhere.headers) == (400, False)


def test_a_command_line_client_may_listen_on_any_loopback_port_or_use_another_device(keycloak: Keycloak) -> None:
    query = {"client_id": "zhibu-cli", "response_type": "code", "scope": "openid", "code_challenge": CHALLENGE}
    query |= {"code_challenge_method": "S256", "redirect_uri": "http://127.0.0.1:49321/callback"}
    address = f"{keycloak.issuer}/{OPENID}/auth"
    assert httpx.get(address, params=query, trust_env=False).status_code == 200
    elsewhere = {**query, "redirect_uri": "http://127.0.0.2:49321/callback"}
    assert httpx.get(address, params=elsewhere, trust_env=False).status_code == 400
    proof = {"client_id": "zhibu-cli", "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    device = httpx.post(f"{keycloak.issuer}/{OPENID}/auth/device", data=proof, trust_env=False)
    assert device.status_code == 200
    assert device.json()["verification_uri"] == f"{keycloak.issuer}/device"


def test_applying_the_realm_again_writes_nothing(keycloak: Keycloak, writes: list[str]) -> None:
    keycloak.apply_realm()
    writes.clear()
    keycloak.apply_realm()
    assert writes == []


def test_applying_the_realm_repairs_what_was_changed_by_hand(
    keycloak: Keycloak, admin: KeycloakAdmin, writes: list[str]
) -> None:
    keycloak.apply_realm()
    admin.update_realm("zhibu", {"accessTokenLifespan": 86400, "browserFlow": "browser"})
    admin.create_client_scope({"name": "forgotten", "protocol": "openid-connect"}, skip_exists=True)
    client = str(admin.get_client_id("zhibu-web"))
    admin.update_client(client, {"redirectUris": ["*"], "directAccessGrantsEnabled": True})
    keycloak.apply_realm()
    realm: Any = admin.get_realm("zhibu")
    web: Any = admin.get_client(client)
    assert realm["accessTokenLifespan"] == 300
    assert realm["browserFlow"].startswith("zhibu browser ")
    assert (web["redirectUris"], web["directAccessGrantsEnabled"]) == (["http://localhost:7000/*"], False)


def test_a_production_realm_has_no_demonstration_client(keycloak: Keycloak, admin: KeycloakAdmin) -> None:
    keycloak.apply_realm(profile="production")
    try:
        names = {client["clientId"] for client in admin.get_clients()}
        realm: Any = admin.get_realm("zhibu")
        assert "zhibu-demo" not in names
        assert realm["sslRequired"] == "external"
    finally:
        keycloak.apply_realm(profile="development")


def test_no_secret_stands_in_the_realm_files() -> None:
    model = read_realm(RealmSettings(client_secret=lambda client_id: f"<{client_id}>"))
    secrets = {client["clientId"]: client.get("secret") for client in model.clients if not client["publicClient"]}
    assert secrets == {client_id: f"<{client_id}>" for client_id in secrets}
    assert json.dumps(model.realm).count("secret") == 0
