"""What the members' pages do alike: an act with its outcome as a message, and answers that may be missing."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import timedelta
from typing import Final, TypeVar

from fastapi.responses import Response

from zhibu_web.contract import Message
from zhibu_web.gateway_client import Json, ProblemError
from zhibu_web.session import Flash
from zhibu_web.visit import Visit

M = TypeVar("M", bound=Message)
# Refusals of an act that its page cannot explain better than the page for the error.
_NOT_THE_ACTS: Final = (401, 403, 404, 429)
_MISSING: Final = (403, 404, 409, 412)
# Some acts want a log-in younger than ten minutes; entering what they ask for takes a while of it.
FRESH_S: Final = 6 * 60


class Nothing(Message):
    """An answer of which nothing is shown."""


async def found(call: Awaitable[M], empty: M) -> M:
    """Return an answer; what does not exist yet, or is not for this person, is shown as empty."""
    try:
        return await call
    except ProblemError as problem:
        if problem.status not in _MISSING:
            raise
        return empty


async def act(
    visit: Visit, path: str, *, body: Json, done: str, back: str, etag: str = "", detail: str = ""
) -> Response:
    """Do one act of the form that was sent, say how it went, and go back to a page."""
    gateway = await visit.gateway()
    try:
        await gateway.post(path, Nothing, body=body, request_id=visit.form.value("request_id"), etag=etag)
    except ProblemError as problem:
        await visit.flash(Flash(kind="error", text=refusal(visit, problem)))
    else:
        await visit.flash(Flash(kind="success", text=done, detail=detail))
    return visit.redirect(back)


def refusal(visit: Visit, problem: ProblemError) -> str:
    """Return the words of a refusal that a person can do something about.

    Raises:
        ProblemError: the refusal is one that the page for errors explains.
    """
    if problem.status >= 500 or problem.status in _NOT_THE_ACTS:
        raise problem
    words = "; ".join(one.detail for one in problem.errors if one.detail) or problem.detail
    return words or visit.t("error.refused_title")


def is_fresh(visit: Visit) -> bool:
    """Say whether the member logged in a moment ago, with time enough left for an act that wants that."""
    member = visit.data.member
    login_time = member.login_time if member else None
    return login_time is not None and visit.services.clock.now() - login_time < timedelta(seconds=FRESH_S)
