"""Log-in by certificate at a real Keycloak, with a software key as the stick: good until it is revoked, and then at once not."""

from __future__ import annotations

import base64
import hashlib
import secrets
import ssl
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from integration.identity.conftest import MakeDatabases
from integration.identity.officers_and_keys import (
    give_office,
    issue_certificate,
    new_key,
    revoke_certificate,
    signing_request,
)
from integration.identity.running_identity import LINQU, Identity
from integration.identity.setting_up import running
from keycloak import KeycloakAdmin
from zhibu.identity.v1 import certificate_service_pb2 as pb
from zhibu.identity.v1 import eid_pb2
from zhibu_gateway.server import running_gateway
from zhibu_gateway.settings import GatewaySettings
from zhibu_identity.certificates.records import RevocationReason, find_certificate, mark_revoked
from zhibu_identity.certificates.revoking import REACH
from zhibu_identity.eids.accounts import KeycloakAccounts, NewAccount
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.scope import Scope
from zhibu_kit.testing.clock import FixedClock
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until
from zhibu_stack.engines import Keycloak
from zhibu_stack.testing import shared_keycloak

pytestmark = [pytest.mark.keycloak, pytest.mark.timeout(400)]

REDIRECT = "http://127.0.0.1:49321/callback"
# Keycloak is asked until it has done what follows a revocation.
SOON_S = 20
# As fast as they come; the realm closes an account for ten seconds after thirty.
WRONG_TRIES = 25


@dataclass(frozen=True, slots=True)
class Stick:
    """A key with its certificate, as browsers would use them."""

    context: ssl.SSLContext
    certificate: pb.Certificate


@pytest.fixture(scope="module")
def keycloak() -> Keycloak:
    return shared_keycloak()


@pytest.fixture(scope="module")
async def identity(keycloak: Keycloak, make_databases: MakeDatabases, nats: NatsServer) -> AsyncGenerator[Identity]:
    """identity with the real Keycloak, behind a gateway at which Keycloak fetches the list of revoked certificates."""
    clock = FixedClock(datetime.now(UTC))
    list_client = "zhibu-revocation-list"
    accounts = KeycloakAccounts(
        issuer=keycloak.issuer,
        client_id="svc-identity",
        client_secret=keycloak.client_secret("svc-identity"),
        list_client=(list_client, keycloak.client_secret(list_client)),
    )
    databases = await make_databases()
    # Tests in other modules open accounts in the same Keycloak: numbers begin where theirs are not.
    await databases.owner.execute(
        "insert into county_sequence values ($1, 2, $2, $3)",
        LINQU,
        clock.now().astimezone(SHANGHAI).year,
        secrets.randbelow(900_000) + 100_000,
    )
    with TokenIssuer(clock=clock) as issuer:
        async with running(
            databases,
            nats,
            issuer,
            clock,
            at_keycloak=accounts,
            development_authority=str(keycloak.certificates / "authority.pem"),
        ) as identity:
            settings = GatewaySettings.model_validate(
                {
                    **issuer.settings,
                    **nats.settings("gateway"),
                    "listen": f"127.0.0.1:{urlsplit(keycloak.gateway_url).port}",
                    "health_listen": "127.0.0.1:0",
                    "peers": {"identity": identity.address},
                }
            )
            async with running_gateway(settings):
                yield identity
    await accounts.aclose()


@pytest.fixture(scope="module")
def admin(keycloak: Keycloak) -> KeycloakAdmin:
    return KeycloakAdmin(
        server_url=keycloak.url,
        realm_name="zhibu",
        client_id="svc-identity",
        client_secret_key=keycloak.client_secret("svc-identity"),
        max_retries=0,
    )


async def new_officer(identity: Identity, admin: KeycloakAdmin) -> eid_pb2.Eid:
    """Return the e-ID of an officer who has logged in before: nothing is left for Keycloak to ask."""
    eid = await identity.issue()
    await give_office(identity, eid)
    (account,) = admin.get_users({"username": eid.eid_number, "exact": True})
    admin.update_user(account["id"], {**account, "requiredActions": []})
    return eid


async def stick_of(identity: Identity, keycloak: Keycloak, member_id: str, directory: Path) -> Stick:
    key = new_key()
    issued = await issue_certificate(identity, member_id, signing_request(key))
    return Stick(context_of(keycloak, key, issued.certificate_pem, directory), issued.certificate)


def context_of(
    keycloak: Keycloak, key: ec.EllipticCurvePrivateKey | None, certificate_pem: str, directory: Path
) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(keycloak.certificates / "server.crt.pem"))
    if key is not None:
        file = directory / f"{secrets.token_hex(8)}.pem"
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(pem + certificate_pem.encode())
        context.load_cert_chain(file)
    return context


async def log_in(keycloak: Keycloak, context: ssl.SSLContext) -> dict[str, str] | None:
    """Log in as a browser with the stick does; return the tokens, None when Keycloak shows a page instead."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    client = {"client_id": "zhibu-cli", "redirect_uri": REDIRECT}
    query = {"response_type": "code", "scope": "openid", "code_challenge": challenge, "code_challenge_method": "S256"}
    address = f"{keycloak.certificate_url}/realms/zhibu/protocol/openid-connect"
    async with httpx.AsyncClient(verify=context, trust_env=False) as browser:
        answer = await browser.get(f"{address}/auth", params={**client, **query})
    if answer.status_code != 302 or not answer.headers["location"].startswith(REDIRECT):
        return None
    code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    async with httpx.AsyncClient(trust_env=False) as application:
        form = {**client, "grant_type": "authorization_code", "code": code, "code_verifier": verifier}
        tokens = await application.post(f"{keycloak.issuer}/protocol/openid-connect/token", data=form)
    return tokens.json() if tokens.status_code == 200 else None


async def refreshed(keycloak: Keycloak, tokens: dict[str, str]) -> int:
    form = {"client_id": "zhibu-cli", "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    async with httpx.AsyncClient(trust_env=False) as application:
        answer = await application.post(f"{keycloak.issuer}/protocol/openid-connect/token", data=form)
    return answer.status_code


async def test_an_officer_logs_in_with_the_stick_alone(
    identity: Identity, keycloak: Keycloak, admin: KeycloakAdmin, tmp_path: Path
) -> None:
    eid = await new_officer(identity, admin)
    stick = await stick_of(identity, keycloak, eid.member_id, tmp_path)
    tokens = await log_in(keycloak, stick.context)
    assert tokens is not None
    body = tokens["access_token"].split(".")[1]
    text = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()
    assert f'"member_id":"{eid.member_id}"' in text
    assert f'"iss":"{keycloak.issuer}"' in text
    # Another account of the same member, as a replaced e-ID leaves one behind, does not stand in the way once closed.
    accounts = identity.parts.accounts
    other = NewAccount(
        eid_number=f"37079990{secrets.randbelow(10**8):08d}",
        member_id=eid.member_id,
        county_code=LINQU,
        totp_seed="A" * 32,
    )
    await accounts.close(await accounts.open(other))
    assert await log_in(keycloak, stick.context) is not None


async def test_without_a_certificate_everybody_gets_the_usual_page(keycloak: Keycloak, tmp_path: Path) -> None:
    assert await log_in(keycloak, context_of(keycloak, None, "", tmp_path)) is None
    async with httpx.AsyncClient(verify=context_of(keycloak, None, "", tmp_path), trust_env=False) as browser:
        answer = await browser.get(
            f"{keycloak.certificate_url}/realms/zhibu/protocol/openid-connect/auth",
            params={
                "client_id": "zhibu-cli",
                "redirect_uri": REDIRECT,
                "response_type": "code",
                "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                "code_challenge_method": "S256",
            },
        )
    assert answer.status_code == 200
    assert 'name="password"' in answer.text


async def test_a_certificate_of_another_authority_opens_nothing(
    identity: Identity, keycloak: Keycloak, admin: KeycloakAdmin, tmp_path: Path
) -> None:
    eid = await new_officer(identity, admin)
    key = new_key()
    name = x509.Name([x509.NameAttribute(NameOID.SERIAL_NUMBER, eid.member_id)])
    now = identity.clock.now()
    forged = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.replace(year=now.year - 1))
        .not_valid_after(now.replace(year=now.year + 1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    try:
        assert await log_in(keycloak, context_of(keycloak, key, forged.decode(), tmp_path)) is None
    except (httpx.TransportError, ssl.SSLError):
        # The connection itself is refused.
        return


async def test_keycloak_keeps_its_copy_of_the_list_until_identity_has_it_forgotten(
    identity: Identity, keycloak: Keycloak, admin: KeycloakAdmin, tmp_path: Path
) -> None:
    eid = await new_officer(identity, admin)
    stick = await stick_of(identity, keycloak, eid.member_id, tmp_path)
    await identity.parts.accounts.forget_revocation_list()
    assert await log_in(keycloak, stick.context) is not None
    async with identity.parts.database.transaction(Scope.of(LINQU)) as transaction:
        record = await find_certificate(transaction, stick.certificate.certificate_id)
        assert record is not None
        await mark_revoked(transaction, record, reason=RevocationReason.KEY_LOST, now=identity.clock.now())
    assert await log_in(keycloak, stick.context) is not None, "the copy was kept: forgetting it is needed"
    await identity.parts.accounts.forget_revocation_list()
    assert await log_in(keycloak, stick.context) is None


async def test_a_revoked_certificate_is_refused_at_once_and_running_sessions_are_not_prolonged(
    identity: Identity, keycloak: Keycloak, admin: KeycloakAdmin, tmp_path: Path
) -> None:
    eid = await new_officer(identity, admin)
    stick = await stick_of(identity, keycloak, eid.member_id, tmp_path)
    # From here on Keycloak has a copy of the list on which the certificate does not stand.
    tokens = await log_in(keycloak, stick.context)
    assert tokens is not None
    began_s = time.monotonic()
    await revoke_certificate(identity, stick.certificate)

    async def shut() -> bool:
        return await log_in(keycloak, stick.context) is None

    await wait_until(shut, timeout_s=SOON_S)
    assert time.monotonic() - began_s < SOON_S

    async def ended() -> bool:
        # Should Keycloak have been too busy, the task comes due again by this clock.
        identity.clock.advance(1)
        return await refreshed(keycloak, tokens) == 400

    await wait_until(ended, timeout_s=SOON_S)
    # A new stick for the same officer works as soon as the officer has logged in again and confirmed it.
    identity.clock.advance(REACH.total_seconds() + 1)
    other = await stick_of(identity, keycloak, eid.member_id, tmp_path)
    assert await log_in(keycloak, other.context) is not None


async def test_wrong_passwords_of_others_do_not_lock_an_officers_stick_out(
    identity: Identity, keycloak: Keycloak, admin: KeycloakAdmin, tmp_path: Path
) -> None:
    eid = await new_officer(identity, admin)
    stick = await stick_of(identity, keycloak, eid.member_id, tmp_path)
    async with httpx.AsyncClient(trust_env=False) as attacker:
        for _ in range(WRONG_TRIES):
            await attacker.post(
                f"{keycloak.issuer}/protocol/openid-connect/token",
                data={
                    "client_id": "zhibu-demo",
                    "grant_type": "password",
                    "username": eid.eid_number,
                    "password": "wrong-password",
                    "totp": "000000",
                },
            )
    assert await log_in(keycloak, stick.context) is not None
