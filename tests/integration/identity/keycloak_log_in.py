"""Logging in to a real Keycloak without a browser, and what a member does there at the first log-in."""

from __future__ import annotations

import hashlib
import time

import httpx
from keycloak import KeycloakAdmin
from pyotp.totp import TOTP
from zhibu_identity.eids.accounts import NewAccount
from zhibu_stack.engines import Keycloak

OWN_PASSWORD = "four-plain-words-here"


def ask_token(keycloak: Keycloak, **fields: str) -> httpx.Response:
    url = f"{keycloak.issuer}/protocol/openid-connect/token"
    return httpx.post(url, data={"client_id": "zhibu-demo", **fields}, trust_env=False)


def log_in(keycloak: Keycloak, account: NewAccount, *, password: str, totp: str) -> httpx.Response:
    return ask_token(keycloak, grant_type="password", username=account.eid_number, password=password, totp=totp)


def code_of(account: NewAccount) -> str:
    return TOTP(account.totp_seed, digest=hashlib.sha256).at(int(time.time()))


def set_own_password(admin: KeycloakAdmin, account_id: str) -> None:
    """Do what the member does on Keycloak's page at the first log-in."""
    admin.set_user_password(account_id, OWN_PASSWORD, temporary=False)
    admin.update_user(account_id, {**admin.get_user(account_id), "requiredActions": []})
