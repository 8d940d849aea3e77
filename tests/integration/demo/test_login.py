"""The loader logs people in through Keycloak's own pages, as a browser does."""

import time

import pytest
from integration.stack.keycloak_people import claims, make_person
from zhibu_demo.errors import DemoError
from zhibu_demo.login import Answers, Keycloak
from zhibu_stack.engines import Keycloak as KeycloakServer
from zhibu_stack.testing import shared_keycloak

# The first test waits for Keycloak's start.
pytestmark = [pytest.mark.keycloak, pytest.mark.timeout(400)]


@pytest.fixture(scope="session")
def server() -> KeycloakServer:
    return shared_keycloak()


async def test_a_first_log_in_sets_the_own_password_and_later_ones_use_it(server: KeycloakServer) -> None:
    person = make_person(server, required_actions=("UPDATE_PASSWORD",))

    async def first_code() -> str:
        return person.code(age_s=60)

    async def later_code() -> str:
        return person.code()

    async with Keycloak(server.issuer) as pages:
        first = await pages.log_in(
            Answers(
                eid_number=person.eid_number,
                password=person.password,
                code=first_code,
                new_password="three-plain-words",
            )
        )
        assert claims(await first.token())["sub"] == person.account_id
        later = await pages.log_in(Answers(eid_number=person.eid_number, password="three-plain-words", code=later_code))
        token = claims(await later.token())
        assert token["sub"] == person.account_id
        assert token["azp"] == "zhibu-cli"
        assert token["exp"] > time.time()


async def test_a_wrong_password_is_one_sentence(server: KeycloakServer) -> None:
    person = make_person(server)

    async def code() -> str:
        return person.code()

    async with Keycloak(server.issuer) as pages:
        with pytest.raises(DemoError, match="did not log the person in"):
            await pages.log_in(Answers(eid_number=person.eid_number, password="not-the-password", code=code))
