"""One installation for all end-to-end tests of a run."""

from collections.abc import AsyncGenerator

import pytest
from support.installation import Installation, running_installation


@pytest.fixture(scope="session")
async def installation(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Installation]:
    async with running_installation(tmp_path_factory.mktemp("installation")) as running:
        yield running
