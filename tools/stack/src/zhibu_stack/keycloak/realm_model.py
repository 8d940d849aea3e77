"""The realm as data: read from the JSON files in `realm/`, with addresses and secrets filled in."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal
from urllib.parse import urlsplit

# JSON objects as the admin API takes and gives them; their shape is Keycloak's, not ours.
Json = dict[str, Any]

Profile = Literal["development", "production"]

SECRET_PREFIX = "${secret:"  # noqa: S105 - the placeholder, not a secret.
PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RealmSettings:
    """What differs between installations.

    `client_secret` returns the secret of a confidential client. `web_backchannel_url` is where Keycloak itself reaches the
    web client; empty means the same address that browsers use. `revocation_list_url` is where Keycloak fetches the list of
    revoked certificates; empty means the gateway's public address.
    """

    client_secret: Callable[[str], str]
    web_url: str = "http://localhost:7000"
    web_backchannel_url: str = ""
    gateway_url: str = "http://localhost:7080"
    revocation_list_url: str = ""
    profile: Profile = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class RealmModel:
    """Everything that is applied; `unwanted_clients` are removed where an earlier profile made them."""

    realm: Json
    user_profile: Json
    required_actions: dict[str, bool]
    browser_flow: list[Json]
    client_scopes: list[Json]
    clients: list[Json]
    unwanted_clients: frozenset[str]


def read_realm(settings: RealmSettings) -> RealmModel:
    """Return the realm for these settings."""
    values = {
        "web_url": settings.web_url,
        "web_backchannel_url": settings.web_backchannel_url or settings.web_url,
        "gateway_url": settings.gateway_url,
        "revocation_list_url": settings.revocation_list_url or f"{settings.gateway_url}/v1/certificate-revocation-list",
        # Passkeys are bound to the host that the member sees; a county cannot move it later without losing them.
        "passkey_domain": urlsplit(settings.web_url).hostname or "localhost",
        # Only a development machine speaks plain HTTP.
        "ssl_required": "none" if settings.profile == "development" else "external",
    }

    def load(name: str) -> Any:
        text = (files("zhibu_stack.keycloak") / "realm" / name).read_text(encoding="utf-8")
        return fill(json.loads(text), values, settings.client_secret)

    entries: list[Json] = load("clients.json")
    excluded = {entry["clientId"] for entry in entries if entry.get("onlyIn", settings.profile) != settings.profile}
    clients = [
        service_client(entry, settings.client_secret) if "service" in entry else entry
        for entry in entries
        if entry.get("clientId") not in excluded
    ]
    return RealmModel(
        realm=load("realm.json"),
        user_profile=load("user_profile.json"),
        required_actions=load("required_actions.json"),
        browser_flow=load("browser_flow.json"),
        client_scopes=load("client_scopes.json"),
        clients=[complete_client(client) for client in clients],
        unwanted_clients=frozenset(excluded),
    )


def service_client(entry: Json, client_secret: Callable[[str], str]) -> Json:
    """Return the service account of a service: its tokens carry the service's name, which no user can set."""
    service = entry["service"]
    client_id = f"svc-{service}"
    roles: Json = entry.get("serviceAccountRoles", {})
    return {
        "clientId": client_id,
        "publicClient": False,
        "secret": client_secret(client_id),
        "serviceAccountsEnabled": True,
        "standardFlowEnabled": False,
        "redirectUris": [],
        "webOrigins": [],
        "attributes": {},
        # Realm roles travel in the token only where the admin API is called.
        "defaultClientScopes": ["basic", "zhibu-api", *(["roles"] if roles else [])],
        "serviceAccountRoles": roles,
        "protocolMappers": [
            {
                "name": "service",
                "protocol": "openid-connect",
                "protocolMapper": "oidc-hardcoded-claim-mapper",
                "config": {
                    "claim.name": "service",
                    "claim.value": service,
                    "jsonType.label": "String",
                    "access.token.claim": "true",
                    "id.token.claim": "false",
                    "introspection.token.claim": "true",
                },
            }
        ],
    }


def complete_client(client: Json) -> Json:
    """Return the client with every grant that it does not name switched off."""
    return {
        "protocol": "openid-connect",
        "enabled": True,
        "consentRequired": False,
        "fullScopeAllowed": bool(client.get("serviceAccountRoles")),
        "standardFlowEnabled": False,
        "implicitFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "serviceAccountsEnabled": False,
        "protocolMappers": [],
        **{name: value for name, value in client.items() if name != "onlyIn"},
    }


def fill(value: Any, values: dict[str, str], client_secret: Callable[[str], str]) -> Any:
    """Return the JSON value with `${name}` and `${secret:client}` replaced in its strings.

    Other `${…}` stay: Keycloak reads them as keys of messages.
    """
    match value:
        case str() if value.startswith(SECRET_PREFIX):
            return client_secret(value.removeprefix(SECRET_PREFIX).removesuffix("}"))
        case str():
            return PLACEHOLDER.sub(lambda found: values.get(found.group(1), found.group()), value)
        case list():
            return [fill(item, values, client_secret) for item in value]
        case dict():
            return {name: fill(item, values, client_secret) for name, item in value.items()}
        case _:
            return value
