"""`zhibuctl client register` makes a client in a real Keycloak that people can log in with, and nothing more."""

import itertools
import json
import os

import httpx
import pytest
from click.testing import CliRunner, Result
from zhibu_stack.engines import Keycloak
from zhibu_stack.testing import shared_keycloak
from zhibuctl.__main__ import main

# The first test waits for Keycloak's start.
pytestmark = [pytest.mark.keycloak, pytest.mark.timeout(400)]

_NUMBERS = itertools.count(os.getpid() * 1000)


@pytest.fixture(scope="session")
def keycloak() -> Keycloak:
    return shared_keycloak()


def _register(keycloak: Keycloak, name: str, *options: str) -> Result:
    environment = {
        # A pod's environment: there is no state directory.
        "ZHIBU_DATABASE_URL": "postgresql://nowhere",
        "ZHIBU_RUN_DIRECTORY": "",
        "ZHIBU_OIDC_ISSUER": keycloak.issuer,
        "ZHIBU_KEYCLOAK_ADMIN_SECRET": keycloak.admin_secret,
    }
    arguments = ["--json", "client", "register", name, "--redirect-uri", "https://app.example/callback", *options]
    return CliRunner(env=environment).invoke(main, arguments)


def _authorise(keycloak: Keycloak, client_id: str, **parameters: str) -> httpx.Response:
    given = {"client_id": client_id, "response_type": "code", "redirect_uri": "https://app.example/callback"}
    url = f"{keycloak.issuer}/protocol/openid-connect/auth"
    return httpx.get(url, params={**given, **parameters}, trust_env=False)


def test_a_public_client_gets_to_the_log_in_page_with_pkce_only(keycloak: Keycloak) -> None:
    name = f"bus-app-{next(_NUMBERS)}"
    outcome = _register(keycloak, name)
    assert outcome.exit_code == 0, outcome.output
    assert json.loads(outcome.output) == {"client_id": name}
    challenge = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}
    assert _authorise(keycloak, name, **challenge).status_code == 200
    without = _authorise(keycloak, name)
    assert without.status_code == 302
    assert "error=invalid_request" in without.headers["location"]


def test_another_redirect_address_is_refused_by_keycloak(keycloak: Keycloak) -> None:
    name = f"bus-app-{next(_NUMBERS)}"
    assert _register(keycloak, name).exit_code == 0
    assert _authorise(keycloak, name, redirect_uri="https://evil.example/callback").status_code == 400


def test_a_confidential_client_is_shown_its_secret_once(keycloak: Keycloak) -> None:
    outcome = _register(keycloak, f"server-app-{next(_NUMBERS)}", "--confidential")
    assert outcome.exit_code == 0, outcome.output
    assert len(json.loads(outcome.output)["secret"]) >= 32


def test_a_name_is_registered_once(keycloak: Keycloak) -> None:
    name = f"bus-app-{next(_NUMBERS)}"
    assert _register(keycloak, name).exit_code == 0
    again = _register(keycloak, name)
    assert again.exit_code == 1
    assert "已存在" in again.output
    assert "already" in again.output


def test_a_scope_that_is_not_there_is_named(keycloak: Keycloak) -> None:
    outcome = _register(keycloak, f"bus-app-{next(_NUMBERS)}", "--scope", "everything")
    assert outcome.exit_code == 1
    assert "everything" in outcome.output


def test_a_keycloak_that_does_not_answer_is_one_sentence() -> None:
    environment = {
        "ZHIBU_DATABASE_URL": "postgresql://nowhere",
        "ZHIBU_RUN_DIRECTORY": "",
        "ZHIBU_OIDC_ISSUER": "http://127.0.0.1:9/realms/zhibu",
        "ZHIBU_KEYCLOAK_ADMIN_SECRET": "x",
    }
    arguments = ["client", "register", "bus-app", "--redirect-uri", "https://app.example/callback"]
    outcome = CliRunner(env=environment).invoke(main, arguments)
    assert outcome.exit_code == 1
    assert "连不上 Keycloak" in outcome.output
