"""How the tests are shared out among processes: `-n 3` in the Makefile.

xdist's own `loadgroup` finds no groups under pytest 9.2 (it writes to an attribute that is gone), hence a scheduler of ours.
"""

from functools import cache
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling


class SharedEngines(LoadScopeScheduling):
    """Keeps together what shares something costly: the tests of one Keycloak, those of one stack, those of one module."""

    def _split_scope(self, nodeid: str) -> str:
        return _scope_of(nodeid.partition("::")[0])


@cache
def _scope_of(path: str) -> str:
    if path.startswith("tests/e2e/"):
        return "stack"
    if "pytest.mark.keycloak" in Path(path).read_text(encoding="utf-8"):
        return "keycloak"
    return path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer | None) -> LoadScopeScheduling:
    """Share out by our groups."""
    return SharedEngines(config, log)
