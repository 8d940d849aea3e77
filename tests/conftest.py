"""How the tests are shared out among processes (`-n 2 --dist loadgroup` in the Makefile)."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what shares something costly: the tests of one Keycloak, those of one stack, those of one module."""
    for item in items:
        if "e2e" in item.path.parts:
            group = "stack"
        elif item.get_closest_marker("keycloak"):
            group = "keycloak"
        else:
            group = str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
