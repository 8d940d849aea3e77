"""Accounts at Keycloak: opened when an e-ID is issued, closed when it is revoked.

Every act may be repeated: work that was cut off is done again from the beginning.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import wraps
from types import CoroutineType
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar, cast

import httpx
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from keycloak import KeycloakAdmin
from keycloak.exceptions import KeycloakError
from zhibu_kit.keycloak_calls import KeycloakCalls
from zhibu_kit.telemetry import Telemetry

# Keycloak hashes passwords slowly on purpose, and more slowly when many log in.
TIMEOUT_S: Final = 15
# A hundred accounts at once; on a machine that is busy with everything else, that takes half a minute.
IMPORT_TIMEOUT_S: Final = 45
MOST_CONNECTIONS: Final = 10
# Calls about many accounts that are under way at once; more would only queue inside Keycloak.
SIDE_BY_SIDE: Final = 4
# The realm's policy (tools/stack, realm.json) is the same; a member's credential carries its own copy.
TOTP_ALGORITHM: Final = "HmacSHA256"
TOTP_PERIOD_S: Final = 30
TOTP_DIGITS: Final = 6
UPDATE_PASSWORD: Final = "UPDATE_PASSWORD"  # noqa: S105 - the name of a required action
# How one-use passwords are hashed: with Keycloak's own algorithm and memory, once over instead of five times. They are
# random, of 46 bits, and hold for seven days; a password that somebody chose is hashed by Keycloak as its policy says.
ARGON2_MEMORY_KIB: Final = 7168
ARGON2_ITERATIONS: Final = 1
ARGON2_LANES: Final = 1
HASH_BYTES: Final = 32
SALT_BYTES: Final = 16

_NOT_FOUND: Final = 404
# Keycloak failed at what it was asked; what stands before it answers with other numbers when it is away.
_OWN_FAULT: Final = 500
# Refusals that are about us, the realm or the moment, and not about what was asked: no token, no right, no realm, too
# slow, too much.
_ABOUT_ALL: Final = frozenset({401, 403, _NOT_FOUND, 408, 429})

# JSON objects of the admin API; their shape is Keycloak's.
Json = dict[str, Any]


class AccountsError(Exception):
    """Keycloak did not do what was asked; the text says nothing about a person."""


class AccountRefusedError(AccountsError):
    """Keycloak is there and does not take this one account."""


class ForeignAccountError(AccountsError):
    """An account of this name belongs to another member: somebody made it by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account as it is opened: it has a first password that nobody knows, the activation code replaces it."""

    eid_number: str
    member_id: str
    county_code: str
    totp_seed: str


class Coded(Enum):
    """What became of an activation code that was to open an account."""

    SET = auto()
    # The member has a password of their own by now, which is not replaced.
    IN_USE = auto()
    # There is no such account any more: somebody deleted it by hand.
    GONE = auto()


class Accounts(Protocol):
    """Keycloak, as identity needs it."""

    async def open(self, account: NewAccount) -> str:
        """Open an account, or adopt the one that an earlier, cut-off attempt opened; return its id."""
        ...

    async def open_many(self, accounts: Sequence[NewAccount]) -> dict[str, str]:
        """Open accounts, or adopt those that an earlier attempt opened; return their ids by number.

        A number whose account belongs to somebody else is missing. One that Keycloak refuses is told by
        AccountRefusedError, when the others are open.
        """
        ...

    async def set_activation_code(self, account_id: str, code: str) -> None:
        """Make a code the one-use password, which has to be replaced at the first log-in."""
        ...

    async def set_activation_codes(self, codes: Mapping[str, str]) -> dict[str, Coded]:
        """Do so for many accounts (account to code), but for those in use; return what became of each."""
        ...

    async def end_activation_code(self, account_id: str) -> None:
        """Have a password that nobody knows take the place of the one-use password."""
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


P = ParamSpec("P")
T = TypeVar("T")
_Act = Callable[Concatenate["KeycloakAccounts", P], "CoroutineType[Any, Any, T]"]


def _measured(operation: str) -> Callable[[_Act[P, T]], _Act[P, T]]:
    """Measure how long an act takes and whether Keycloak did it; a name that is taken is an answer too."""

    def measured(act: _Act[P, T]) -> _Act[P, T]:
        @wraps(act)
        async def measuring(self: KeycloakAccounts, *arguments: P.args, **named: P.kwargs) -> T:
            with self.calls.measure(operation, refusals=(ForeignAccountError,)):
                return await act(self, *arguments, **named)

        return measuring

    return measured


class KeycloakAccounts:
    """Accounts in our realm, through its admin API."""

    def __init__(
        self,
        *,
        issuer: str,
        client_id: str,
        client_secret: str,
        list_client: tuple[str, str] | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        """Act as the service account of a client that may manage users of the realm which `issuer` names.

        `list_client` is name and secret of another one, which may have the list of revoked certificates fetched anew and
        import accounts many at once; Keycloak asks for the right to manage the realm for that, which is used for
        nothing else.
        """
        self.calls = KeycloakCalls(telemetry)
        server_url, _, self._realm = issuer.rstrip("/").rpartition("/realms/")

        def admin_as(client_id: str, client_secret: str, *, timeout_s: int = TIMEOUT_S) -> KeycloakAdmin:
            return KeycloakAdmin(
                server_url=f"{server_url}/",
                realm_name=self._realm,
                client_id=client_id,
                client_secret_key=client_secret,
                timeout=timeout_s,
                pool_maxsize=MOST_CONNECTIONS,
                # A repeated POST could open an account twice.
                max_retries=0,
            )

        self._admin = admin_as(client_id, client_secret)
        self._lists = admin_as(*list_client, timeout_s=IMPORT_TIMEOUT_S) if list_client else None

    async def aclose(self) -> None:
        """Close the connections."""
        for admin in filter(None, (self._admin, self._lists)):
            await admin.connection.aclose()
            await admin.connection.keycloak_openid.connection.aclose()

    @_measured("open")
    async def open(self, account: NewAccount) -> str:
        """Open an account, or adopt the one that an earlier, cut-off attempt opened; return its id.

        Raises:
            ForeignAccountError: when the name is taken by another member's account.
            AccountRefusedError: when Keycloak does not take this account, and answers otherwise.
            AccountsError: when Keycloak does not do it now.
        """
        try:
            return await self._admin.a_create_user(_representation(account))
        except KeycloakError as error:
            code = error.response_code
            if not _is_about_one(code):
                raise AccountsError(f"opening an account: {code}") from None
        except httpx.HTTPError as error:
            raise AccountsError(f"opening an account: {type(error).__name__}") from None
        # Whether it exists, and whether Keycloak is there for others.
        found = await self._find(account.eid_number)
        if found is None:
            raise AccountRefusedError(f"opening an account: refused with {code}")
        if _member_of(found) != account.member_id:
            raise ForeignAccountError("an account with this number belongs to another member")
        return str(found["id"])

    @_measured("open many")
    async def open_many(self, accounts: Sequence[NewAccount]) -> dict[str, str]:
        """Open accounts, or adopt those that an earlier attempt opened; return their ids by number.

        One import of many accounts takes Keycloak a fraction of the time of as many creations. It asks for the
        right to manage the realm; where nobody has it, or an import is refused, accounts are opened one by one.

        Raises:
            AccountRefusedError: when Keycloak refuses an account; the others are open by then.
            AccountsError: when Keycloak does not do it now; some may be open by then.
        """
        if self._lists is None:
            return await self._open_one_by_one(accounts)
        # Whom the admin API creates has these roles by itself, without which nobody replaces a password of their own accord.
        roles = {"realmRoles": [f"default-roles-{self._realm.lower()}"]}
        payload = {
            "ifResourceExists": "SKIP",
            "users": [_representation(account) | roles for account in accounts],
        }
        try:
            answer = await self._lists.a_partial_import_realm(self._realm, payload)
        except KeycloakError as error:
            # One account that Keycloak does not take ends an import of many with an error of its own (500).
            if error.response_code is not None and 400 <= error.response_code <= _OWN_FAULT:
                return await self._open_one_by_one(accounts)
            raise AccountsError(f"importing accounts: {error.response_code}") from None
        except httpx.HTTPError as error:
            raise AccountsError(f"importing accounts: {type(error).__name__}") from None
        results = cast("list[Json]", answer.get("results", []))
        found = {str(each["resourceName"]): str(each["id"]) for each in results if each.get("id")}
        added = {str(each["resourceName"]) for each in results if each.get("action") == "ADDED"}
        # Those that were there already are ours, from an attempt that was cut off, or somebody else's.
        there = {account.eid_number: account.member_id for account in accounts if account.eid_number not in added}
        foreign = await self._list_foreign(
            {found[number]: member_id for number, member_id in there.items() if number in found}
        )
        opened = {number: account_id for number, account_id in found.items() if account_id not in foreign}
        left_out = [account for account in accounts if account.eid_number not in found]
        return opened | await self._open_one_by_one(left_out)

    @_measured("set activation code")
    async def set_activation_code(self, account_id: str, code: str) -> None:
        """Make a code the one-use password, which has to be replaced at the first log-in.

        Raises:
            AccountsError: when Keycloak does not do it now, or the account is gone.
        """
        if not await self._put_password(account_id, await asyncio.to_thread(_hashed, code)):
            raise AccountsError("setting an activation code: the account is gone")

    @_measured("set activation codes")
    async def set_activation_codes(self, codes: Mapping[str, str]) -> dict[str, Coded]:
        """Do so for many accounts (account to code), but for those in use; return what became of each.

        Raises:
            AccountsError: when Keycloak does not do it now; some codes may be good by then.
        """
        waiting = asyncio.Semaphore(SIDE_BY_SIDE)

        async def set_one(account_id: str, code: str) -> Coded:
            async with waiting:
                account = await self._get(account_id)
                if account is None:
                    return Coded.GONE
                if UPDATE_PASSWORD not in account.get("requiredActions", []):
                    return Coded.IN_USE
                done = await self._put_password(account_id, await asyncio.to_thread(_hashed, code))
                return Coded.SET if done else Coded.GONE

        try:
            async with asyncio.TaskGroup() as group:
                tasks = {account_id: group.create_task(set_one(account_id, code)) for account_id, code in codes.items()}
        except* AccountsError as errors:
            raise AccountsError(str(errors.exceptions[0])) from None
        return {account_id: task.result() for account_id, task in tasks.items()}

    @_measured("end activation code")
    async def end_activation_code(self, account_id: str) -> None:
        """Have a password that nobody knows take the place of the one-use password; an account that is gone has none.

        Raises:
            AccountsError: when Keycloak does not do it now.
        """
        await self._put_password(account_id, _unknown_password())

    @_measured("has own password")
    async def has_own_password(self, account_id: str) -> bool:
        """Say whether the member has replaced the one-use password.

        Raises:
            AccountsError: when Keycloak does not answer now.
        """
        account = await self._get(account_id)
        return account is not None and UPDATE_PASSWORD not in account.get("requiredActions", [])

    @_measured("renew")
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
                "credentials": [await asyncio.to_thread(_hashed, code), _one_time_codes(totp_seed)],
            }
            await self._admin.a_update_user(account_id, renewed)
            await self._admin.a_user_logout(account_id)
        except (KeycloakError, httpx.HTTPError) as error:
            raise AccountsError(f"renewing an account: {_what(error)}") from None

    @_measured("set county")
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

    @_measured("close")
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

    @_measured("delete")
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

    @_measured("forget revocation list")
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

    @_measured("end sessions")
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

    async def _open_one_by_one(self, accounts: Sequence[NewAccount]) -> dict[str, str]:
        opened: dict[str, str] = {}
        refused: AccountRefusedError | None = None
        for first in range(0, len(accounts), SIDE_BY_SIDE):
            some = accounts[first : first + SIDE_BY_SIDE]
            answers = await asyncio.gather(*(self._open_or_none(account) for account in some), return_exceptions=True)
            for account, answer in zip(some, answers, strict=True):
                if isinstance(answer, AccountRefusedError):
                    refused = answer
                elif isinstance(answer, BaseException):
                    raise answer
                elif answer is not None:
                    opened[account.eid_number] = answer
        if refused is not None:
            raise refused
        return opened

    async def _open_or_none(self, account: NewAccount) -> str | None:
        try:
            return await self.open(account)
        except ForeignAccountError:
            return None

    async def _list_foreign(self, owners: Mapping[str, str]) -> frozenset[str]:
        """Return those of these accounts (account to the member who should have it) that are somebody else's."""
        waiting = asyncio.Semaphore(SIDE_BY_SIDE)

        async def is_foreign(account_id: str, member_id: str) -> bool:
            async with waiting:
                account = await self._get(account_id)
                return account is None or _member_of(account) != member_id

        judged = await asyncio.gather(*(is_foreign(account_id, member_id) for account_id, member_id in owners.items()))
        return frozenset(account_id for account_id, foreign in zip(owners, judged, strict=True) if foreign)

    async def _put_password(self, account_id: str, password: Json) -> bool:
        """Replace the password and ask for another one at the next log-in; False when the account is gone."""
        change = {"requiredActions": [UPDATE_PASSWORD], "credentials": [password]}
        try:
            await self._admin.a_update_user(account_id, change)
        except KeycloakError as error:
            if error.response_code == _NOT_FOUND:
                return False
            raise AccountsError(f"replacing a password: {error.response_code}") from None
        except httpx.HTTPError as error:
            raise AccountsError(f"replacing a password: {type(error).__name__}") from None
        return True

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


def _is_about_one(code: int | None) -> bool:
    """Say whether an answer may be about the one account that was asked for: it exists, or Keycloak does not take it."""
    return code is not None and 400 <= code <= _OWN_FAULT and code not in _ABOUT_ALL


def _representation(account: NewAccount) -> Json:
    return {
        "username": account.eid_number,
        "enabled": True,
        "attributes": {"member_id": [account.member_id], "county_code": [account.county_code]},
        "requiredActions": [UPDATE_PASSWORD],
        "credentials": [_unknown_password(), _one_time_codes(account.totp_seed)],
    }


def _one_time_codes(totp_seed: str) -> Json:
    return {
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
    }


def _hashed(code: str) -> Json:
    """Return a one-use password as Keycloak keeps it. Takes some thousandths of a second of computing."""
    salt = os.urandom(SALT_BYTES)
    kdf = Argon2id(
        salt=salt, length=HASH_BYTES, iterations=ARGON2_ITERATIONS, lanes=ARGON2_LANES, memory_cost=ARGON2_MEMORY_KIB
    )
    return _password(kdf.derive(code.encode()), salt)


def _unknown_password() -> Json:
    """Return a password that nobody knows: what stands where its hash would stand is the hash of nothing."""
    return _password(os.urandom(HASH_BYTES), os.urandom(SALT_BYTES))


def _password(digest: bytes, salt: bytes) -> Json:
    parameters = {
        "hashLength": [str(HASH_BYTES)],
        "memory": [str(ARGON2_MEMORY_KIB)],
        "parallelism": [str(ARGON2_LANES)],
        "type": ["id"],
        "version": ["1.3"],
    }
    secret = {"value": _base64(digest), "salt": _base64(salt), "additionalParameters": {}}
    how = {"hashIterations": ARGON2_ITERATIONS, "algorithm": "argon2", "additionalParameters": parameters}
    return {"type": "password", "secretData": json.dumps(secret), "credentialData": json.dumps(how)}


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _member_of(account: Json) -> str | None:
    attributes = cast("dict[str, list[str]]", account.get("attributes", {}))
    values = attributes.get("member_id") or attributes.get("closed_member_id") or []
    return values[0] if values else None


def _what(error: Exception) -> str:
    return str(error.response_code) if isinstance(error, KeycloakError) else type(error).__name__
