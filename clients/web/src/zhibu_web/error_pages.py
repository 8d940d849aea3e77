"""What a person sees when something went wrong: plain words, what to do, and nothing lost."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from zhibu_kit.context import current_context

from zhibu_web.gateway_client import GatewayUnreachableError, ProblemError
from zhibu_web.oidc import LoginUnreachableError
from zhibu_web.pages.desk import ForbiddenError
from zhibu_web.visit import (
    SAFE_METHODS,
    ForgedFormError,
    SessionEndedError,
    SignInNeededError,
    Visit,
    local_path,
    services_of,
)
from zhibu_web.visitor_limit import TooManyVisitorsError

log = logging.getLogger("zhibu.web")

MEMBER_PATHS: Final = ("/me", "/desk", "/branch", "/survey", "/inbox", "/foundings", "/services", "/organisations")
_KNOWN: Final = (403, 404, 405, 413, 429, 500, 503)


def install_error_pages(app: FastAPI) -> None:
    """Have every error end in a page."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(GatewayUnreachableError, _unreachable)
    app.add_exception_handler(LoginUnreachableError, _login_unreachable)
    app.add_exception_handler(ForbiddenError, _forbidden)
    app.add_exception_handler(TooManyVisitorsError, _too_many)
    app.add_exception_handler(ForgedFormError, _forged)
    app.add_exception_handler(SignInNeededError, _sign_in_needed)
    app.add_exception_handler(SessionEndedError, _session_ended)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _bad_address)


def _visit_of(request: Request) -> Visit:
    """Return the visit as far as it got; an address that leads nowhere has none yet."""
    visit = getattr(request.state, "visit", None)
    return visit if isinstance(visit, Visit) else Visit(request, services_of(request))


async def error_page(
    visit: Visit, status: int, *, title: str = "", text: str = "", again: bool = False, code: int | None = None
) -> Response:
    """Return the page for a status; `again` offers to repeat exactly what was sent."""
    known = status if status in _KNOWN else 500
    context = current_context()
    # A file is nowhere kept, so a form with one cannot be sent again from here.
    repeatable = again and visit.request.method == "POST" and bool(visit.form_lists) and not _brings_file(visit.request)
    response = await visit.page(
        "errors/error.html",
        status=code or status,
        title=title or visit.t(f"error.{known}_title"),
        text=text or visit.t(f"error.{known}_text"),
        again=again,
        fields=[(name, value) for name, values in visit.form_lists.items() if name != "csrf" for value in values]
        if repeatable
        else [],
        action=visit.request.url.path,
        back=local_path(visit.here),
        trace=context.trace_id if context and status >= 500 else "",
    )
    if visit.is_fragment:
        response.headers["HX-Retarget"] = "#main-content"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


async def too_large_page(request: Request) -> Response:
    """Return the page for a body that no form of ours has; nothing of it was read."""
    visit = Visit(request, services_of(request))
    request.state.visit = visit
    try:
        await visit.open(read_form=False)
    except SessionEndedError as error:
        return await _session_ended(request, error)
    if not _brings_file(request):
        return await error_page(visit, 413)
    return await error_page(visit, 413, title=visit.t("error.413_file_title"), text=visit.t("error.413_file_text"))


def _brings_file(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("multipart/")


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    visit = _visit_of(request)
    if error.status == 401 and visit.signed_in:
        # The token was good and fresh, so the account itself is refused.
        await visit.end_session()
        return await _ended_page(visit, "refused")
    if error.status == 429:
        wait = error.retry_after_s
        text = visit.t("error.429_wait", seconds=wait) if wait else visit.t("error.429_text")
        return await error_page(visit, 429, text=text, again=True)
    if error.status in (502, 503, 504):
        return await error_page(visit, 503, again=True)
    if error.status >= 500:
        log.error("The gateway failed", extra={"fields": {"status": error.status, "code": error.code}})
        return await error_page(visit, 500, again=True, code=502)
    if error.status == 400 and request.method in SAFE_METHODS:
        # An address with an identifier that cannot exist.
        return await error_page(visit, 404)
    if error.status in (403, 404):
        return await error_page(visit, error.status)
    words = "; ".join(one.detail for one in error.errors if one.detail) or error.detail
    return await error_page(visit, 409, title=visit.t("error.refused_title"), text=words or visit.t("error.500_text"))


async def _unreachable(request: Request, error: Exception) -> Response:
    return await error_page(_visit_of(request), 503, again=True)


async def _login_unreachable(request: Request, error: Exception) -> Response:
    visit = _visit_of(request)
    log.warning("Keycloak cannot be reached", extra={"fields": {"why": str(error)}})
    return await error_page(
        visit,
        503,
        title=visit.t("auth.unreachable_title"),
        text=visit.t("auth.unreachable_text"),
        again=True,
    )


async def _too_many(request: Request, error: Exception) -> Response:
    return await error_page(_visit_of(request), 429, again=True)


async def _forbidden(request: Request, error: Exception) -> Response:
    return await error_page(_visit_of(request), 403)


async def _forged(request: Request, error: Exception) -> Response:
    visit = _visit_of(request)
    if not visit.signed_in and request.url.path.startswith(MEMBER_PATHS):
        # The log-in has expired since the page was opened.
        return await _sign_in_needed(request, error)
    log.warning("A form without a good token was refused")
    return await error_page(visit, 403, title=visit.t("error.form_title"), text=visit.t("error.form_text"))


async def _sign_in_needed(request: Request, error: Exception) -> Response:
    visit = _visit_of(request)
    target = f"/auth/login?return_to={quote(visit.here, safe='/')}"
    if visit.is_fragment:
        response = Response(status_code=204, headers={"HX-Redirect": target})
        return visit.with_cookies(response)
    if request.method == "GET":
        return visit.redirect(target)
    return await visit.page("auth/needed.html", status=401, target=target)


async def _session_ended(request: Request, error: Exception) -> Response:
    assert isinstance(error, SessionEndedError)
    visit = _visit_of(request)
    visit.session = None
    visit.drop_cookie(visit.cookie_name("session"))
    return await _ended_page(visit, error.reason)


async def _ended_page(visit: Visit, reason: str) -> Response:
    response = await visit.page(
        "auth/ended.html",
        status=401,
        reason=visit.t(f"auth.ended.{reason}", telephone=visit.services.settings.help_telephone),
        may_log_in=reason != "refused",
    )
    if visit.is_fragment:
        response.headers["HX-Refresh"] = "true"
    return response


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    visit = _visit_of(request)
    if getattr(request.state, "visit", None) is None:
        try:
            await visit.open()
        except (ForgedFormError, SessionEndedError):
            visit.session = None
    response = await error_page(visit, error.status_code)
    headers: Mapping[str, str] = error.headers or {}
    response.headers.update(headers)
    return response


async def _bad_address(request: Request, error: Exception) -> Response:
    return await error_page(_visit_of(request), 404)
