from collections.abc import AsyncGenerator

import httpx
import pytest
from zhibu_smsc.server import MessageCentre, Settings, running_message_centre


@pytest.fixture
async def centre() -> AsyncGenerator[MessageCentre]:
    async with running_message_centre(Settings(smpp_port=0, web_port=0)) as centre:
        yield centre


@pytest.fixture
async def page(centre: MessageCentre) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{centre.web_port}", timeout=10) as client:
        yield client
