"""Bring a running Keycloak's realm to what the data say. Running it again changes nothing; a changed file changes the realm.

Keycloak's own import skips a realm that exists, so everything goes through the admin API.
"""

import hashlib
import json
from typing import Any

from keycloak import KeycloakAdmin
from keycloak.exceptions import KeycloakGetError

from zhibu_stack.keycloak.realm_model import Json, RealmModel, RealmSettings, read_realm

REQUEST_TIMEOUT_S = 60

# Keycloak's own clients of the realm: members have no use for its account pages, where they could take off their own
# second factor, and administrators come through the realm `master`.
CLOSED_CLIENTS = ("account", "account-console", "admin-cli", "security-admin-console")


def apply_realm(url: str, *, admin_client: str, admin_secret: str, settings: RealmSettings) -> None:
    """Create the realm or bring it up to date."""
    admin = KeycloakAdmin(
        server_url=url,
        realm_name="master",
        user_realm_name="master",
        client_id=admin_client,
        client_secret_key=admin_secret,
        timeout=REQUEST_TIMEOUT_S,
        # A repeated POST could make a thing twice.
        max_retries=0,
    )
    Applier(admin, read_realm(settings)).apply()


class Applier:
    """One run over one realm."""

    def __init__(self, admin: KeycloakAdmin, model: RealmModel) -> None:
        self.admin = admin
        self.model = model
        self.root = f"admin/realms/{model.realm['realm']}"

    def apply(self) -> None:
        """Apply every part, each only where it differs."""
        self._apply_realm()
        self._apply_user_profile()
        self._apply_required_actions()
        scopes = self._apply_client_scopes()
        self._apply_clients(scopes)
        self._close_own_clients()
        self._strip_default_role()
        self._apply_browser_flow()

    def _apply_realm(self) -> None:
        try:
            current = self.get("")
        except KeycloakGetError as error:
            if error.response_code != 404:
                raise
            self.admin.create_realm(self.model.realm)
            return
        if differs(self.model.realm, current):
            self.put("", self.model.realm)

    def _apply_user_profile(self) -> None:
        if self.get("users/profile") != self.model.user_profile:
            self.put("users/profile", self.model.user_profile)

    def _apply_required_actions(self) -> None:
        for action in self.get("authentication/required-actions"):
            enabled = self.model.required_actions.get(action["alias"])
            if enabled is not None and action["enabled"] != enabled:
                self.put(f"authentication/required-actions/{action['alias']}", {**action, "enabled": enabled})

    def _apply_client_scopes(self) -> dict[str, str]:
        current = {scope["name"]: scope for scope in self.get("client-scopes")}
        for wanted in self.model.client_scopes:
            known = current.get(wanted["name"])
            if known is None:
                self.post("client-scopes", wanted)
                continue
            bare = {name: value for name, value in wanted.items() if name != "protocolMappers"}
            if differs(bare, known):
                self.put(f"client-scopes/{known['id']}", bare)
            self._apply_mappers(f"client-scopes/{known['id']}", wanted["protocolMappers"])
        return {scope["name"]: scope["id"] for scope in self.get("client-scopes")}

    def _apply_clients(self, scope_ids: dict[str, str]) -> None:
        current = {client["clientId"]: client for client in self.get("clients")}
        for client_id in self.model.unwanted_clients & current.keys():
            self.delete(f"clients/{current[client_id]['id']}")
        for wanted in self.model.clients:
            own = ("protocolMappers", "defaultClientScopes", "serviceAccountRoles")
            bare = {name: value for name, value in wanted.items() if name not in own}
            known = current.get(wanted["clientId"])
            if known is None:
                self.post("clients", bare)
                known = self.get(f"clients?clientId={wanted['clientId']}")[0]
            elif differs(bare, known):
                self.put(f"clients/{known['id']}", bare)
            path = f"clients/{known['id']}"
            self._apply_mappers(path, wanted["protocolMappers"])
            self._apply_scopes(path, set(wanted["defaultClientScopes"]), scope_ids)
            for owner, roles in wanted.get("serviceAccountRoles", {}).items():
                self._grant_roles(path, current.get(owner) or self.get(f"clients?clientId={owner}")[0], roles)

    def _apply_scopes(self, client_path: str, wanted: set[str], scope_ids: dict[str, str]) -> None:
        default = {scope["name"] for scope in self.get(f"{client_path}/default-client-scopes")}
        optional = {scope["name"] for scope in self.get(f"{client_path}/optional-client-scopes")}
        for name in optional:
            self.delete(f"{client_path}/optional-client-scopes/{scope_ids[name]}")
        for name in default - wanted:
            self.delete(f"{client_path}/default-client-scopes/{scope_ids[name]}")
        for name in wanted - default:
            self.put(f"{client_path}/default-client-scopes/{scope_ids[name]}", {})

    def _apply_mappers(self, owner_path: str, wanted: list[Json]) -> None:
        path = f"{owner_path}/protocol-mappers/models"
        current = {mapper["name"]: mapper for mapper in self.get(path)}
        for name in current.keys() - {mapper["name"] for mapper in wanted}:
            self.delete(f"{path}/{current[name]['id']}")
        for mapper in wanted:
            known = current.get(mapper["name"])
            if known is None:
                self.post(path, mapper)
            elif differs(mapper, known):
                self.put(f"{path}/{known['id']}", {**mapper, "id": known["id"]})

    def _grant_roles(self, client_path: str, owner: Json, roles: list[str]) -> None:
        account = self.get(f"{client_path}/service-account-user")
        path = f"users/{account['id']}/role-mappings/clients/{owner['id']}"
        held = {role["name"] for role in self.get(path)}
        missing = [self.get(f"clients/{owner['id']}/roles/{name}") for name in roles if name not in held]
        if missing:
            self.post(path, missing)

    def _close_own_clients(self) -> None:
        for client in self.get("clients"):
            if client["clientId"] in CLOSED_CLIENTS and client["enabled"]:
                self.put(f"clients/{client['id']}", {**client, "enabled": False})

    def _strip_default_role(self) -> None:
        """Take away what every new account would get: its own account pages and offline tokens."""
        role = f"roles/default-roles-{self.model.realm['realm']}/composites"
        if held := self.get(role):
            self.admin.connection.raw_delete(f"{self.root}/{role}", data=json.dumps(held)).raise_for_status()

    def _apply_browser_flow(self) -> None:
        """Build the flow under a name that carries its own digest, bind it, then remove earlier ones.

        So a log-in never meets a half-built flow, and an unchanged flow is left alone.
        """
        digest = hashlib.sha256(json.dumps(self.model.browser_flow, sort_keys=True).encode()).hexdigest()[:8]
        alias = f"zhibu browser {digest}"
        bound = self.get("")["browserFlow"]
        if bound != alias:
            for flow in self.get("authentication/flows"):
                if flow["alias"] == alias:
                    self.delete(f"authentication/flows/{flow['id']}")
            flow = {"alias": alias, "providerId": "basic-flow", "topLevel": True, "builtIn": False}
            self.post("authentication/flows", flow)
            self._add_executions(alias, self.model.browser_flow, digest)
            self.put("", {"realm": self.model.realm["realm"], "browserFlow": alias})
        for flow in self.get("authentication/flows"):
            if flow["alias"].startswith("zhibu browser ") and flow["alias"] != alias:
                self.delete(f"authentication/flows/{flow['id']}")

    def _add_executions(self, parent: str, executions: list[Json], digest: str) -> None:
        path = f"authentication/flows/{parent}/executions"
        for wanted in executions:
            before = {execution["id"] for execution in self.get(path)}
            if "flow" in wanted:
                alias = f"zhibu {wanted['flow']} {digest}"
                self.post(f"{path}/flow", {"alias": alias, "type": "basic-flow", "provider": "registration-page-form"})
            else:
                alias = None
                self.post(f"{path}/execution", {"provider": wanted["authenticator"]})
            (made,) = [execution for execution in self.get(path) if execution["id"] not in before]
            self.put(path, {**made, "requirement": wanted["requirement"]})
            if config := wanted.get("config"):
                entry = {"alias": f"zhibu {wanted['authenticator']} {digest}", "config": config}
                self.post(f"authentication/executions/{made['id']}/config", entry)
            if alias:
                self._add_executions(alias, wanted["executions"], digest)

    def get(self, path: str) -> Any:
        """Return what lies at a path of the realm."""
        response = self.admin.connection.raw_get(self._address(path))
        if response.status_code == 404:
            raise KeycloakGetError(response_code=404)
        response.raise_for_status()
        return response.json()

    def put(self, path: str, body: Json) -> None:
        """Replace what lies there."""
        self.admin.connection.raw_put(self._address(path), data=json.dumps(body)).raise_for_status()

    def post(self, path: str, body: Json | list[Json]) -> None:
        """Add to what lies there."""
        self.admin.connection.raw_post(self._address(path), data=json.dumps(body)).raise_for_status()

    def delete(self, path: str) -> None:
        """Remove what lies there."""
        self.admin.connection.raw_delete(self._address(path)).raise_for_status()

    def _address(self, path: str) -> str:
        return f"{self.root}/{path}" if path else self.root


def differs(wanted: Any, current: Any) -> bool:
    """Say whether anything wanted is missing or other in what there is; more than wanted is no difference."""
    match wanted, current:
        case dict(), dict():
            return any(name not in current or differs(value, current[name]) for name, value in wanted.items())
        case list(), list():
            return sorted(map(repr, wanted)) != sorted(map(repr, current))
        case _:
            return wanted != current
