"""The FastAPI application: one route over the table of the contract's methods and the gateway's own pages."""

from typing import Any, Final

from fastapi import FastAPI
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send
from zhibu_kit.health import Health
from zhibu_kit.telemetry import Telemetry

from zhibu_gateway.contract.files import contract_files
from zhibu_gateway.contract.methods import public_methods
from zhibu_gateway.contract.path_template import RouteTable, parse_template
from zhibu_gateway.limits.limiter import Limiter, MethodLimits
from zhibu_gateway.openapi.document import make_document
from zhibu_gateway.pages.catalogue import load_catalogue
from zhibu_gateway.pages.pages import Pages
from zhibu_gateway.pipelines.compile import Pipeline, Route, compile_routes
from zhibu_gateway.pipelines.parts import Parts
from zhibu_gateway.pipelines.request_reader import Values
from zhibu_gateway.web.door import Door
from zhibu_gateway.web.exchange import Exchange

_PAGES: Final = {
    "/": "index",
    "/healthz": "healthz",
    "/readyz": "readyz",
    "/openapi.json": "openapi",
    "/docs": "reference",
    "/docs/style.css": "style",
    "/errors": "errors",
    "/errors/{reason}": "error",
}


class ContractRoute(BaseRoute):
    """Takes every path: which ones exist, the contract says."""

    def __init__(self, door: Door) -> None:
        """Leads to the door."""
        self._door = door

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Matches every HTTP request."""
        return (Match.FULL if scope["type"] == "http" else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles a request."""
        await self._door(scope, receive, send)


def make_app(parts: Parts, *, health: Health, telemetry: Telemetry) -> FastAPI:
    """Compiles the contract into an application.

    Raises:
        ContractError: the contract asks for something that cannot be published.
        TemplateError: two routes collide.
    """
    methods = public_methods(contract_files(), with_testing=parts.settings.test_routes)
    document = make_document(methods, settings=parts.settings)
    pages = Pages(document, load_catalogue(), health)
    table: RouteTable[Route] = RouteTable()
    compile_routes(table, methods, parts)
    for path, name in _PAGES.items():
        page: Pipeline = getattr(pages, name)
        # Health is asked often, by our own machines; everything else costs a caller one of its calls.
        pipeline = page if name in ("healthz", "readyz") else _limited(page, parts.limiter)
        table.add("GET", parse_template(path), Route(name=f"page {name}", pipeline=pipeline, has_head=True))
    app = FastAPI(title="Zhibu", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.router.routes[:] = [ContractRoute(Door(table, parts.settings, telemetry))]

    def openapi() -> dict[str, Any]:
        return document

    app.openapi = openapi
    return app


def _limited(page: Pipeline, limiter: Limiter) -> Pipeline:
    limits = MethodLimits(name="pages", per_address=None, per_account=None)

    async def answer(exchange: Exchange, values: Values) -> None:
        limiter.check_address(exchange, limits)
        await page(exchange, values)

    return answer
