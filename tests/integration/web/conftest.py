"""The web client with its real database, and an OpenID provider; no gateway unless a test says so."""

import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import asyncpg
import httpx
import pytest
from integration.web.provider import CLIENT, SECRET, Provider, running_provider
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_stack.databases import ServiceDatabase
from zhibu_web.app import create_app
from zhibu_web.settings import WebSettings

KEY = "a-session-key-for-tests-" + "k" * 20
PUBLIC = "http://localhost:7000"
CERTIFICATE_LOGIN = "https://localhost:7092"


@pytest.fixture(scope="module")
async def database(service_database: DatabaseMaker) -> ServiceDatabase:
    return await service_database("web", kit=False)


@pytest.fixture(scope="module")
async def pool(database: ServiceDatabase) -> AsyncGenerator[asyncpg.Pool]:
    """Connections as the role that runs the web client."""
    async with asyncpg.create_pool(database.app_url, min_size=1, max_size=4) as pool:
        yield pool


@pytest.fixture
async def provider() -> AsyncGenerator[Provider]:
    async with running_provider() as provider:
        yield provider


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser that keeps cookies, in front of one instance."""

    http: httpx.AsyncClient

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(path)

    async def token(self, path: str = "/") -> str:
        """Give the form token of a page."""
        return token_of(await self.http.get(path))

    async def post(self, path: str, *, page: str = "/", **fields: str) -> httpx.Response:
        """Send a form as it stands on a page of ours."""
        form = {"csrf": await self.token(page), **fields}
        return await self.http.post(path, data=form, headers={"Origin": PUBLIC})


def token_of(response: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', response.text)
    assert found
    return found[1]


@dataclass(frozen=True, slots=True)
class Instances:
    """Two instances of the web client over one database."""

    urls: tuple[httpx.ASGITransport, httpx.ASGITransport]

    def browser(self, *, instance: int = 0, cookies: httpx.Cookies | None = None, https: bool = False) -> Browser:
        """Give a browser, or the same browser (by its cookies) in front of the other instance."""
        client = httpx.AsyncClient(transport=self.urls[instance], base_url=PUBLIC, cookies=cookies)
        return Browser(client)


@pytest.fixture
def gateway_url() -> str:
    """Nothing listens at the port of discard: the gateway is down, unless a module of tests says otherwise."""
    return "http://127.0.0.1:9"


@pytest.fixture
async def instances(database: ServiceDatabase, provider: Provider, gateway_url: str) -> AsyncGenerator[Instances]:
    settings = WebSettings(
        public_url=PUBLIC,
        gateway_url=gateway_url,
        database_url=database.app_url,
        oidc_issuer=provider.issuer,
        certificate_login_url=CERTIFICATE_LOGIN,
        oidc_client_id=CLIENT,
        oidc_client_secret=SECRET,
        web_session_key=KEY,
    )
    async with AsyncExitStack() as stack:
        transports: list[httpx.ASGITransport] = []
        for _ in range(2):
            app = create_app(settings)
            await stack.enter_async_context(app.router.lifespan_context(app))
            transports.append(httpx.ASGITransport(app=app, client=("203.0.113.7", 4711)))
        yield Instances((transports[0], transports[1]))
