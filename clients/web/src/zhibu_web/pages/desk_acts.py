"""What the desk's pages have in common: acts and how they end, names for identifiers, files passed on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack
from typing import Final
from urllib.parse import quote

from fastapi.responses import Response, StreamingResponse

from zhibu_web.contract import Message
from zhibu_web.gateway_client import Gateway, Json, ProblemError
from zhibu_web.session import Flash
from zhibu_web.visit import Visit

# A page of fifty people may name fifty branches: asked for side by side, but not all at once.
NAMES_AT_ONCE: Final = 8
_CHUNK_BYTES: Final = 65_536
# Errors that are no answer to what was entered; they get a page of their own.
_PAGES: Final = (401, 403, 404, 429)
_CONFLICT: Final = 412


def is_refusal(problem: ProblemError) -> bool:
    """Say whether a problem is an answer to what was entered, to be shown beside it."""
    return problem.status < 500 and problem.status not in _PAGES


def words_of(problem: ProblemError, fallback: str) -> str:
    """Return what a refusal says, in one line."""
    return "; ".join(one.detail for one in problem.errors if one.detail) or problem.detail or fallback


async def act(visit: Visit, gateway: Gateway, path: str, *, body: Json, done: str, put: bool = False) -> bool:
    """Do what a button says, and keep a message about how it ended for the next page; say whether it was done."""
    form = visit.form
    call = gateway.put if put else gateway.post
    try:
        await call(path, Message, body=body, request_id=form.value("request_id"), etag=form.value("etag"))
    except ProblemError as problem:
        if not is_refusal(problem):
            raise
        words = words_of(problem, visit.t("error.refused_title"))
        await visit.flash(Flash(kind="error", text=visit.t("application.conflict_because", reason=words)))
        return False
    await visit.flash(Flash(kind="success", text=done))
    return True


async def submit(
    visit: Visit,
    gateway: Gateway,
    path: str,
    *,
    body: Json,
    fields: Mapping[str, str],
    done: str,
    put: bool = False,
) -> bool:
    """Send what a form says, unless something is wrong with it; refusals are noted at their fields."""
    form = visit.form
    if not form.ok:
        return False
    call = gateway.put if put else gateway.post
    try:
        await call(path, Message, body=body, request_id=form.value("request_id"), etag=form.value("etag"))
    except ProblemError as problem:
        if not is_refusal(problem):
            raise
        if problem.status == _CONFLICT:
            form.refuse("", visit.t("desk.changed_meanwhile"))
        else:
            form.refuse_problem(problem, fields, visit.t("error.refused_title"))
        return False
    if done:
        await visit.flash(Flash(kind="success", text=done))
    return True


async def organisation_names(visit: Visit, gateway: Gateway, ids: Iterable[str]) -> dict[str, str]:
    """Return the names of organisations by identifier."""
    wanted = [one for one in dict.fromkeys(ids) if one]
    places = asyncio.Semaphore(NAMES_AT_ONCE)

    async def load(organisation_id: str) -> str:
        async with places:
            return await visit.services.directory.name(gateway, organisation_id)

    return dict(zip(wanted, await asyncio.gather(*(load(one) for one in wanted)), strict=True))


async def pass_on(
    visit: Visit,
    gateway: Gateway,
    path: str,
    *,
    file_name: str,
    params: Mapping[str, object] | None = None,
    body: Json | None = None,
    inline: bool = False,
) -> Response:
    """Pass a file on as it arrives, none of it kept; with a body it is asked for by a POST.

    Files have no request id: nobody keeps them, so a repeated request makes another one.
    """
    async with AsyncExitStack() as stack:
        response = await stack.enter_async_context(gateway.download(path, params, body=body))
        held = stack.pop_all()

    async def chunks() -> AsyncGenerator[bytes]:
        async with held:
            async for chunk in response.aiter_bytes(_CHUNK_BYTES):
                yield chunk

    kind = "inline" if inline else "attachment"
    given = response.headers.get("content-disposition", "")
    disposition = given if given.startswith(kind) else f"{kind}; filename*=UTF-8''{quote(file_name)}"
    media_type = response.headers.get("content-type", "application/octet-stream")
    headers = {"Content-Disposition": disposition}
    return visit.with_cookies(StreamingResponse(chunks(), media_type=media_type, headers=headers))
