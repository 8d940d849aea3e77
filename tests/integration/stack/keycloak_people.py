"""People in Keycloak as identity makes them, and the codes that they would get by SMS."""

import base64
import hashlib
import hmac
import itertools
import json
import secrets
import struct
import time
from dataclasses import dataclass
from typing import Any

import httpx
from keycloak import KeycloakAdmin
from zhibu_stack.engines import Keycloak

PERIOD_S = 30
SEED = base64.b32encode(b"thirty-two bytes of one-time code").decode().rstrip("=")
# Several modules make people in one Keycloak, each from a beginning of its own.
NUMBERS = itertools.count(secrets.randbelow(90_000_000))


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    account_id: str
    eid_number: str
    password: str

    def code(self, *, age_s: float = 0) -> str:
        """Return the six digits of RFC 6238 with SHA-256 that were current `age_s` ago."""
        key = base64.b32decode(SEED + "=" * (-len(SEED) % 8))
        counter = struct.pack(">Q", int((time.time() - age_s) // PERIOD_S))
        digest = hmac.new(key, counter, hashlib.sha256).digest()
        offset = digest[-1] & 15
        return f"{(struct.unpack_from('>I', digest, offset)[0] & 0x7FFFFFFF) % 10**6:06d}"


def as_identity(keycloak: Keycloak) -> KeycloakAdmin:
    """Return the admin API as the identity service has it."""
    return KeycloakAdmin(
        server_url=keycloak.url,
        realm_name="zhibu",
        user_realm_name="zhibu",
        client_id="svc-identity",
        client_secret_key=keycloak.client_secret("svc-identity"),
        max_retries=0,
    )


def make_person(keycloak: Keycloak, *, required_actions: tuple[str, ...] = ()) -> Person:
    """Create an account with a password and the credential whose codes travel by SMS."""
    number, password = f"37072490{next(NUMBERS):08d}", "four-plain-words-here"
    otp = {"subType": "totp", "digits": 6, "period": PERIOD_S, "algorithm": "HmacSHA256", "counter": 0}
    account_id = as_identity(keycloak).create_user(
        {
            "username": number,
            "enabled": True,
            "attributes": {"member_id": ["01jd0000000000000000000000"], "county_code": ["370724"]},
            "requiredActions": list(required_actions),
            "credentials": [
                {"type": "password", "value": password, "temporary": False},
                {
                    "type": "otp",
                    "secretData": json.dumps({"value": SEED}),
                    "credentialData": json.dumps({**otp, "secretEncoding": "BASE32"}),
                },
            ],
        }
    )
    return Person(account_id=str(account_id), eid_number=number, password=password)


def ask_token(keycloak: Keycloak, **fields: str) -> httpx.Response:
    """Ask the token endpoint."""
    return httpx.post(f"{keycloak.issuer}/protocol/openid-connect/token", data=fields, trust_env=False)


def log_in(keycloak: Keycloak, person: Person, **fields: str) -> httpx.Response:
    """Ask for a token by password, with `totp` where given."""
    known = {"grant_type": "password", "client_id": "zhibu-demo", "username": person.eid_number}
    return ask_token(keycloak, **{**known, "password": person.password, **fields})


def claims(token: str) -> dict[str, Any]:
    """Return the claims without checking the signature."""
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
