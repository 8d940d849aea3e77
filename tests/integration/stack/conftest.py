"""Keycloak for the tests of this folder; started only where a test asks for it."""

import pytest
from zhibu_stack.engines import Keycloak
from zhibu_stack.testing import shared_keycloak


@pytest.fixture(scope="session")
def keycloak() -> Keycloak:
    return shared_keycloak()
