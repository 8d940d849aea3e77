"""Answers of the gateway's own pages; HTML is rendered once per language and carries no script at all."""

from functools import cache
from typing import Any, Final, cast

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined
from zhibu_kit.errors import EN, ZH
from zhibu_kit.health import Health

from zhibu_gateway.errors import ROUTE_NOT_FOUND, title_of
from zhibu_gateway.pages.catalogue import Explained
from zhibu_gateway.pages.markdown import to_html
from zhibu_gateway.pages.reference import groups_of, type_rows
from zhibu_gateway.web.exchange import Exchange

_HTML: Final = "text/html; charset=utf-8"
# Styles come from us, and nothing else may be loaded or run.
_PAGE_POLICY: Final = b"default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_CACHED: Final = b"public, max-age=300"

Values = tuple[tuple[str, str], ...]


class Pages:
    """The pages, each a pipeline like those of the contract's methods."""

    def __init__(self, document: dict[str, Any], catalogue: dict[str, Explained], health: Health) -> None:
        """Shows this document and these kinds of errors."""
        self._document = document
        self._document_bytes = orjson.dumps(document)
        self._catalogue = catalogue
        self._health = health
        environment = Environment(
            loader=PackageLoader("zhibu_gateway", "pages/templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["markdown"] = to_html
        cast("dict[str, object]", environment.globals)["title_of"] = title_of
        self._environment = environment
        # The contract does not change while the process lives.
        self._rendered = cache(self._render)
        self._style = environment.get_template("style.css").render().encode()

    async def index(self, exchange: Exchange, values: Values) -> None:
        """Leads to the reference."""
        exchange.add("location", "/docs")
        await exchange.answer(307, b"", media_type="text/plain")

    async def healthz(self, exchange: Exchange, values: Values) -> None:
        """Says that the process lives."""
        await exchange.answer(200, b"ok\n", media_type="text/plain")

    async def readyz(self, exchange: Exchange, values: Values) -> None:
        """Says whether calls can be taken; the health port says why not."""
        ready = (await self._health.readiness()).ready
        await exchange.answer(200 if ready else 503, orjson.dumps({"ready": ready}), media_type="application/json")

    async def openapi(self, exchange: Exchange, values: Values) -> None:
        """Gives the OpenAPI document."""
        await exchange.answer(200, self._document_bytes, media_type="application/json", cache=_CACHED)

    async def style(self, exchange: Exchange, values: Values) -> None:
        """Gives the one style sheet."""
        await exchange.answer(200, self._style, media_type="text/css; charset=utf-8", cache=_CACHED)

    async def reference(self, exchange: Exchange, values: Values) -> None:
        """Shows the reference of all operations."""
        await self._answer(exchange, self._rendered("reference.html", exchange.language))

    async def errors(self, exchange: Exchange, values: Values) -> None:
        """Lists the kinds of errors."""
        await self._answer(exchange, self._rendered("errors.html", exchange.language))

    async def error(self, exchange: Exchange, values: Values) -> None:
        """Explains one kind of error."""
        kind = self._catalogue.get(dict(values)["reason"])
        if kind is None:
            raise ROUTE_NOT_FOUND()
        page = self._environment.get_template("error.html").render(kind=kind, **_words(exchange.language))
        await self._answer(exchange, page.encode())

    def _render(self, template: str, language: str) -> bytes:
        return (
            self._environment.get_template(template)
            .render(
                document=self._document,
                groups=groups_of(self._document),
                types=list(type_rows(self._document)),
                kinds=list(self._catalogue.values()),
                **_words(language),
            )
            .encode()
        )

    async def _answer(self, exchange: Exchange, page: bytes) -> None:
        exchange.add("content-language", "en" if exchange.in_english else "zh-CN")
        await exchange.answer(200, page, media_type=_HTML, policy=_PAGE_POLICY, cache=b"no-cache")


_WORDS: Final = {
    "reference": ("接口参考", "API reference"),
    "errors": ("错误代码", "Errors"),
    "parameters": ("参数", "Parameters"),
    "body": ("请求内容", "Request body"),
    "answers": ("返回", "Answers"),
    "types": ("数据类型", "Types"),
    "required": ("必填", "required"),
    "deprecated": ("即将停用", "deprecated"),
    "name": ("名称", "Name"),
    "place": ("位置", "Place"),
    "type": ("类型", "Type"),
    "meaning": ("含义", "Meaning"),
    "status": ("状态", "Status"),
    "contents": ("目录", "Contents"),
    "machine": ("机器可读的 OpenAPI 3.1 文档", "OpenAPI 3.1 document for programs"),
    "no_token": ("无需登录", "no log-in"),
    "optional_token": ("登录可选", "log-in optional"),
    "token": ("需要登录", "log-in needed"),
    "all_errors": ("全部错误代码", "All errors"),
    "skip": ("跳到正文", "Skip to content"),
}


def _words(language: str) -> dict[str, object]:
    position = 1 if language == EN else 0
    return {
        "language": "en" if language == EN else ZH,
        "words": {name: texts[position] for name, texts in _WORDS.items()},
    }
