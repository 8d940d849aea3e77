"""Accounts at Keycloak: opened when an e-ID is issued, closed when it is revoked.

Every act may be repeated: work that was cut off is done again from the beginning.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

import httpx
from keycloak import KeycloakAdmin
from keycloak.exceptions import KeycloakError

# Keycloak hashes passwords slowly on purpose, and more slowly when many log in.
TIMEOUT_S: Final = 15
MOST_CONNECTIONS: Final = 10
# The realm's policy (tools/stack, realm.json) is the same; a member's credential carries its own copy.
TOTP_ALGORITHM: Final = "HmacSHA256"
TOTP_PERIOD_S: Final = 30
TOTP_DIGITS: Final = 6
UPDATE_PASSWORD: Final = "UPDATE_PASSWORD"  # noqa: S105 - the name of a required action

_CONFLICT: Final = 409
_NOT_FOUND: Final = 404

# JSON objects of the admin API; their shape is Keycloak's.
Json = dict[str, Any]


class AccountsError(Exception):
    """Keycloak did not do what was asked; the text says nothing about a person."""


class ForeignAccountError(AccountsError):
    """An account of this name belongs to another member: somebody made it by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account as it is opened: nobody knows its first password."""

    eid_number: str
    member_id: str
    county_code: str
    totp_seed: str
    password: str


class Accounts(Protocol):
    """Keycloak, as identity needs it."""

    async def open(self, account: NewAccount) -> str:
        """Open an account, or adopt the one that an earlier, cut-off attempt opened; return its id."""
        ...

    async def set_activation_code(self, account_id: str, code: str) -> None:
        """Make a code the one-use password, which has to be replaced at the first log-in."""
        ...

    async def has_own_password(self, account_id: str) -> bool:
        """Say whether the member has replaced the one-use password."""
        ...

    async def renew(self, account_id: str, *, totp_seed: str, code: str) -> None:
        """End an account's sessions and replace everything that opens it: a one-use password, another seed, no passkeys."""
        ...

    async def set_county(self, account_id: str, county_code: str) -> None:
        """Have tokens of an account name another county from now on."""
        ...

    async def close(self, account_id: str) -> None:
        """Close an account for good and end its sessions."""
        ...

    async def delete(self, *, eid_number: str, member_id: str) -> None:
        """Delete the member's account of this name, if there is one."""
        ...

    async def forget_revocation_list(self) -> None:
        """Have the list of revoked certificates fetched anew at the next log-in by certificate."""
        ...

    async def end_sessions(self, account_id: str) -> None:
        """End every session of an account that stays open."""
        ...


class KeycloakAccounts:
    """Accounts in our realm, through its admin API."""

    def __init__(
        self, *, issuer: str, client_id: str, client_secret: str, list_client: tuple[str, str] | None = None
    ) -> None:
        """Act as the service account of a client that may manage users of the realm which `issuer` names.

        `list_client` is name and secret of another one, which may have the list of revoked certificates fetched anew;
        Keycloak asks for the right to manage the realm for that, which is used for nothing else.
        """
        server_url, _, self._realm = issuer.rstrip("/").rpartition("/realms/")

        def admin_as(client_id: str, client_secret: str) -> KeycloakAdmin:
            return KeycloakAdmin(
                server_url=f"{server_url}/",
                realm_name=self._realm,
                client_id=client_id,
                client_secret_key=client_secret,
                timeout=TIMEOUT_S,
                pool_maxsize=MOST_CONNECTIONS,
                # A repeated POST could open an account twice.
                max_retries=0,
            )

        self._admin = admin_as(client_id, client_secret)
        self._lists = admin_as(*list_client) if list_client else None

    async def aclose(self) -> None:
        """Close the connections."""
        for admin in filter(None, (self._admin, self._lists)):
            await admin.connection.aclose()
            await admin.connection.keycloak_openid.connection.aclose()

    async def open(self, account: NewAccount) -> str:
        """Open an account, or adopt the one that an earlier, cut-off attempt opened; return its id.

        Raises:
            ForeignAccountError: when the name is taken by another member's account.
            AccountsError: when Keycloak does not do it now.
        """
        try:
            return await self._admin.a_create_user(_representation(account))
        except KeycloakError as error:
            if error.response_code != _CONFLICT:
                raise AccountsError(f"opening an account: {error.response_code}") from None
        except httpx.HTTPError as error:
            raise AccountsError(f"opening an account: {type(error).__name__}") from None
        found = await self._find(account.eid_number)
        if found is None:
            raise AccountsError("opening an account: refused as existing, and not found")
        if _member_of(found) != account.member_id:
            raise ForeignAccountError("an account with this number belongs to another member")
        return str(found["id"])

    async def set_activation_code(self, account_id: str, code: str) -> None:
        """Make a code the one-use password, which has to be replaced at the first log-in.

        Raises:
            AccountsError: when Keycloak does not do it now.
        """
        try:
            await self._admin.a_set_user_password(account_id, code, temporary=True)
        except (KeycloakError, httpx.HTTPError) as error:
            raise AccountsError(f"setting an activation code: {_what(error)}") from None

    async def has_own_password(self, account_id: str) -> bool:
        """Say whether the member has replaced the one-use password.

        Raises:
            AccountsError: when Keycloak does not answer now.
        """
        account = await self._get(account_id)
        return account is not None and UPDATE_PASSWORD not in account.get("requiredActions", [])

    async def renew(self, account_id: str, *, totp_seed: str, code: str) -> None:
        """End an account's sessions and replace everything that opens it: a one-use password, another seed, no passkeys.

        Raises:
            AccountsError: when Keycloak does not do it now, or the account is gone.
        """
        account = await self._get(account_id)
        if account is None:
            raise AccountsError("renewing an account: it is gone")
        try:
            # Sessions first, and again at the end: whoever logs in in between has what was there before.
            await self._admin.a_user_logout(account_id)
            for credential in cast("list[Json]", await self._admin.a_get_credentials(account_id)):
                await self._admin.a_delete_credential(account_id, str(credential["id"]))
            renewed = {
                **account,
                "requiredActions": [UPDATE_PASSWORD],
                "credentials": _credentials(password=code, totp_seed=totp_seed),
            }
            await self._admin.a_update_user(account_id, renewed)
            await self._admin.a_user_logout(account_id)
        except (KeycloakError, httpx.HTTPError) as error:
            raise AccountsError(f"renewing an account: {_what(error)}") from None

    async def set_county(self, account_id: str, county_code: str) -> None:
        """Have tokens of an account name another county from now on; an account that is gone has no tokens.

        Raises:
            AccountsError: when Keycloak does not do it now.
        """
        account = await self._get(account_id)
        if account is None:
            return
        attributes = {**account.get("attributes", {}), "county_code": [county_code]}
        try:
            await self._admin.a_update_user(account_id, {**account, "attributes": attributes})
        except (KeycloakError, httpx.HTTPError) as error:
            raise AccountsError(f"moving an account: {_what(error)}") from None

    async def close(self, account_id: str) -> None:
        """Close an account for good and end its sessions; one that is gone is closed.

        Its member's number moves to another attribute: a certificate opens the one account that bears the number, and a
        member whose e-ID was replaced has a closed account beside the living one.

        Raises:
            AccountsError: when Keycloak does not do it now.
        """
        account = await self._get(account_id)
        if account is None:
            return
        try:
            if account.get("enabled") or "member_id" in account.get("attributes", {}):
                attributes = {**account.get("attributes", {})}
                attributes["closed_member_id"] = attributes.pop("member_id", [])
                await self._admin.a_update_user(account_id, {**account, "enabled": False, "attributes": attributes})
            await self._admin.a_user_logout(account_id)
        except (KeycloakError, httpx.HTTPError) as error:
            raise AccountsError(f"closing an account: {_what(error)}") from None

    async def delete(self, *, eid_number: str, member_id: str) -> None:
        """Delete the member's account of this name, if there is one; its sessions end with it.

        Raises:
            AccountsError: when Keycloak does not do it now.
        """
        found = await self._find(eid_number)
        if found is None or _member_of(found) != member_id:
            return
        try:
            await self._admin.a_user_logout(str(found["id"]))
            await self._admin.a_delete_user(str(found["id"]))
        except KeycloakError as error:
            if error.response_code != _NOT_FOUND:
                raise AccountsError(f"deleting an account: {error.response_code}") from None
        except httpx.HTTPError as error:
            raise AccountsError(f"deleting an account: {_what(error)}") from None

    async def forget_revocation_list(self) -> None:
        """Have the list of revoked certificates fetched anew at the next log-in by certificate.

        Raises:
            AccountsError: when Keycloak does not do it now.
        """
        if self._lists is None:
            # Keycloak keeps its copy for a minute by its own settings.
            return
        try:
            response = await self._lists.connection.a_raw_post(f"admin/realms/{self._realm}/clear-crl-cache", data="")
        except (KeycloakError, httpx.HTTPError) as error:
            raise AccountsError(f"forgetting the list of revocations: {_what(error)}") from None
        if not response.is_success:
            raise AccountsError(f"forgetting the list of revocations: {response.status_code}")

    async def end_sessions(self, account_id: str) -> None:
        """End every session of an account that stays open; one that is gone has none.

        Raises:
            AccountsError: when Keycloak does not do it now.
        """
        try:
            await self._admin.a_user_logout(account_id)
        except KeycloakError as error:
            if error.response_code != _NOT_FOUND:
                raise AccountsError(f"ending sessions: {error.response_code}") from None
        except httpx.HTTPError as error:
            raise AccountsError(f"ending sessions: {_what(error)}") from None

    async def _find(self, eid_number: str) -> Json | None:
        query = {"username": eid_number, "exact": True, "max": 2, "briefRepresentation": False}
        try:
            found = cast("list[Json]", await self._admin.a_get_users(query))
        except (KeycloakError, httpx.HTTPError) as error:
            raise AccountsError(f"finding an account: {_what(error)}") from None
        return next((account for account in found if account.get("username") == eid_number), None)

    async def _get(self, account_id: str) -> Json | None:
        try:
            return cast("Json", await self._admin.a_get_user(account_id))
        except KeycloakError as error:
            if error.response_code == _NOT_FOUND:
                return None
            raise AccountsError(f"reading an account: {error.response_code}") from None
        except httpx.HTTPError as error:
            raise AccountsError(f"reading an account: {_what(error)}") from None


def _representation(account: NewAccount) -> Json:
    return {
        "username": account.eid_number,
        "enabled": True,
        "attributes": {"member_id": [account.member_id], "county_code": [account.county_code]},
        "requiredActions": [UPDATE_PASSWORD],
        "credentials": _credentials(password=account.password, totp_seed=account.totp_seed),
    }


def _credentials(*, password: str, totp_seed: str) -> list[Json]:
    return [
        {"type": "password", "value": password, "temporary": True},
        {
            "type": "otp",
            "userLabel": "短信验证码",
            "secretData": json.dumps({"value": totp_seed}),
            "credentialData": json.dumps(
                {
                    "subType": "totp",
                    "digits": TOTP_DIGITS,
                    "counter": 0,
                    "period": TOTP_PERIOD_S,
                    "algorithm": TOTP_ALGORITHM,
                    "secretEncoding": "BASE32",
                }
            ),
        },
    ]


def _member_of(account: Json) -> str | None:
    attributes = cast("dict[str, list[str]]", account.get("attributes", {}))
    values = attributes.get("member_id") or attributes.get("closed_member_id") or []
    return values[0] if values else None


def _what(error: Exception) -> str:
    return str(error.response_code) if isinstance(error, KeycloakError) else type(error).__name__
