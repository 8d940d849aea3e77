"""From the contract's methods to the table of routes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from email.utils import format_datetime
from typing import Final

from zhibu_gateway.contract.methods import Binding, ContractError, Input, Output, PublicMethod
from zhibu_gateway.contract.path_template import RouteTable
from zhibu_gateway.pipelines.downloads import DownloadPipeline
from zhibu_gateway.pipelines.events import EventsPipeline
from zhibu_gateway.pipelines.parts import Parts
from zhibu_gateway.pipelines.request_reader import Values
from zhibu_gateway.pipelines.unary import UnaryPipeline
from zhibu_gateway.pipelines.uploads import UploadPipeline
from zhibu_gateway.web.exchange import Exchange
from zhibu_gateway.web.problems import FieldPaths

Pipeline = Callable[[Exchange, Values], Awaitable[None]]

# Dates of the contract are days in China.
_SHANGHAI: Final = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One entry of the table."""

    name: str
    pipeline: Pipeline
    headers: tuple[tuple[bytes, bytes], ...] = ()
    spell: Callable[[str], str] | None = None
    # HEAD makes sense where the answer is there as a whole.
    has_head: bool = False


def compile_routes(table: RouteTable[Route], methods: list[PublicMethod], parts: Parts) -> None:
    """Adds every binding of every method to the table.

    Raises:
        ContractError: a method has a form that HTTP cannot carry here.
        TemplateError: two methods answer to one path.
    """
    for method in methods:
        for binding in method.bindings:
            route = Route(
                name=method.full_path.removeprefix("/"),
                pipeline=_pipeline(method, binding, parts),
                headers=lifecycle_headers(method),
                spell=FieldPaths(method.request, binding).of,
                has_head=method.output is Output.JSON,
            )
            table.add(binding.http_method, binding.template, route)


def _pipeline(method: PublicMethod, binding: Binding, parts: Parts) -> Pipeline:
    if method.input is Input.RAW_STREAM:
        if method.output is not Output.JSON:
            raise ContractError(f"{method.full_path} receives a file and answers with another")
        return UploadPipeline(method, binding, parts)
    match method.output:
        case Output.JSON | Output.FILE:
            return UnaryPipeline(method, binding, parts)
        case Output.FILE_STREAM:
            return DownloadPipeline(method, binding, parts)
        case Output.EVENTS:
            return EventsPipeline(method, binding, parts)


def lifecycle_headers(method: PublicMethod) -> tuple[tuple[bytes, bytes], ...]:
    """Gives the headers that announce a method's end: Deprecation (RFC 9745), Sunset (RFC 8594) and where to read more."""
    lifecycle = method.lifecycle
    if lifecycle is None:
        return ()
    headers: list[tuple[bytes, bytes]] = []
    if lifecycle.deprecated_on:
        headers.append((b"deprecation", b"@%d" % int(_midnight(lifecycle.deprecated_on).timestamp())))
    if lifecycle.sunset_on:
        # The RPC may be gone after that day, so the header names the day's end.
        end = _midnight(lifecycle.sunset_on) + timedelta(days=1)
        headers.append((b"sunset", format_datetime(end.astimezone(UTC), usegmt=True).encode()))
    headers.append((b"link", f'</docs#{method.descriptor.full_name}>; rel="deprecation"'.encode()))
    return tuple(headers)


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), _SHANGHAI)
