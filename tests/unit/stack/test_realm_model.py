"""The realm's data: placeholders, profiles and comparison, without a server."""

from zhibu_stack.keycloak.apply import differs
from zhibu_stack.keycloak.realm_model import RealmSettings, complete_client, fill, read_realm


def settings(**more: str) -> RealmSettings:
    return RealmSettings(client_secret=lambda client_id: f"secret of {client_id}", **more)  # pyright: ignore[reportArgumentType] - the tests pass strings only.


def test_known_placeholders_are_filled_and_keycloaks_own_stay() -> None:
    value = {"a": ["${web_url}/*", "${username}"], "b": "${secret:zhibu-web}", "c": 7}
    filled = fill(value, {"web_url": "https://zhibu.test"}, str.upper)
    assert filled == {"a": ["https://zhibu.test/*", "${username}"], "b": "ZHIBU-WEB", "c": 7}


def test_passkeys_are_bound_to_the_host_of_the_web_client() -> None:
    model = read_realm(settings(web_url="https://zhibu.sd.test/app"))
    assert model.realm["webAuthnPolicyPasswordlessRpId"] == "zhibu.sd.test"


def test_password_grants_exist_in_development_only() -> None:
    granting = {
        profile: [
            c["clientId"] for c in read_realm(settings(profile=profile)).clients if c["directAccessGrantsEnabled"]
        ]
        for profile in ("development", "production")
    }
    assert granting == {"development": ["zhibu-demo"], "production": []}
    assert read_realm(settings(profile="production")).unwanted_clients == {"zhibu-demo"}


def test_only_service_accounts_carry_a_service_and_only_identity_has_roles() -> None:
    clients = {client["clientId"]: client for client in read_realm(settings()).clients}
    services = {
        name: mapper["config"]["claim.value"]
        for name, client in clients.items()
        for mapper in client["protocolMappers"]
        if mapper["config"].get("claim.name") == "service"
    }
    assert services == {name: name.removeprefix("svc-") for name in clients if name.startswith("svc-")}
    with_roles = {
        name: client["serviceAccountRoles"] for name, client in clients.items() if client.get("serviceAccountRoles")
    }
    assert with_roles == {
        "svc-identity": {"realm-management": ["manage-users", "query-users", "view-users"]},
        "zhibu-revocation-list": {"realm-management": ["manage-realm"]},
    }
    # What may manage the realm opens nothing of ours.
    assert "zhibu-api" not in clients["zhibu-revocation-list"]["defaultClientScopes"]


def test_no_client_accepts_any_address_or_the_implicit_flow() -> None:
    for client in read_realm(settings()).clients:
        assert not {"*", "/*", "http://*", "https://*"} & set(client["redirectUris"])
        assert (client["implicitFlowEnabled"], client["webOrigins"]) == (False, [])


def test_a_grant_that_a_client_does_not_name_is_off() -> None:
    client = complete_client({"clientId": "x", "onlyIn": "development", "standardFlowEnabled": True})
    assert client["standardFlowEnabled"] is True
    assert [client[grant] for grant in ("directAccessGrantsEnabled", "serviceAccountsEnabled", "fullScopeAllowed")] == [
        False
    ] * 3
    assert "onlyIn" not in client


def test_what_keycloak_adds_is_no_difference_and_what_it_lacks_is() -> None:
    assert not differs({"a": {"b": 1}}, {"a": {"b": 1, "more": 2}, "id": "x"})
    assert not differs({"a": ["y", "x"]}, {"a": ["x", "y"]})
    assert differs({"a": {"b": 1}}, {"a": {}})
    assert differs({"a": ["x"]}, {"a": ["x", "y"]})
