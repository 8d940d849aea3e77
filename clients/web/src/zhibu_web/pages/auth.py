"""Log-in and log-out. Keycloak asks for e-ID number, password and code; we keep the tokens on the server."""

from __future__ import annotations

import logging
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from zhibu_web.oidc import LoginRefusedError, LoginUnreachableError, logout_instant
from zhibu_web.session import Flash, Member, SessionData
from zhibu_web.visit import Visit, Visitor, local_path, services_of

log = logging.getLogger("zhibu.web.auth")
router = APIRouter(prefix="/auth")

# What Keycloak may be asked to do for a person who is logged in.
ACTIONS: Final = ("UPDATE_PASSWORD", "webauthn-register-passwordless")


@router.get("/login")
async def log_in(visit: Visitor) -> Response:
    """Send the person to Keycloak's log-in page."""
    return_to = local_path(visit.request.query_params.get("return_to", "/me"))
    by_certificate = visit.request.query_params.get("with") == "certificate"
    return await go_to_keycloak(visit, return_to=return_to, by_certificate=by_certificate)


async def go_to_keycloak(
    visit: Visit, *, return_to: str, action: str = "", fresh: bool = False, by_certificate: bool = False
) -> Response:
    """Begin a log-in, or an action at Keycloak, and keep what must come back in a sealed cookie."""
    url, under_way = await visit.services.login.begin(
        return_to=return_to, language=visit.language, action=action, fresh=fresh, by_certificate=by_certificate
    )
    visit.set_cookie(_cookie_of(visit, under_way.state), visit.services.login.sealed(under_way), max_age_s=1800)
    return visit.redirect(url)


@router.get("/callback")
async def come_back(visit: Visitor) -> Response:
    """Finish a log-in: state, code, tokens, and a new session identifier."""
    parameters = visit.request.query_params
    state, code = parameters.get("state", "")[:200], parameters.get("code", "")[:2000]
    login = visit.services.login
    cookie = _cookie_of(visit, state)
    under_way = login.find_under_way(visit.request.cookies.get(cookie, ""), state)
    visit.drop_cookie(cookie)
    if under_way is None:
        # The back button or a bookmark: who is logged in already just goes on.
        return visit.redirect("/me") if visit.signed_in else await _failed(visit)
    status = parameters.get("kc_action_status", "")
    if not code:
        if visit.signed_in and under_way.action:
            await visit.flash(Flash(kind="notice", text=visit.t("me.not_done")))
            return visit.redirect(under_way.return_to)
        return await _failed(visit)
    try:
        logged_in = await login.finish(under_way, code)
    except LoginRefusedError as error:
        log.warning("A log-in was refused", extra={"fields": {"why": str(error)}})
        return await _failed(visit)
    data = SessionData(
        tokens=logged_in.tokens,
        member=Member(
            account_id=logged_in.account_id,
            member_id=logged_in.member_id,
            eid_number=logged_in.eid_number,
            login_time=logged_in.login_time,
        ),
    )
    if under_way.action:
        done = status == "success"
        text = visit.t(f"me.done.{under_way.action}") if done else visit.t("me.not_done")
        data.flashes = [Flash(kind="success" if done else "notice", text=text)]
    await visit.replace_session(data, account_id=logged_in.account_id, login_id=logged_in.login_id)
    return visit.redirect(under_way.return_to)


async def _failed(visit: Visit) -> HTMLResponse:
    return await visit.page("auth/failed.html", status=400)


@router.post("/logout")
async def log_out(visit: Visitor) -> Response:
    """End our session and then Keycloak's."""
    tokens = visit.data.tokens
    signed_in = visit.signed_in
    await visit.end_session()
    if not signed_in:
        return visit.redirect("/auth/logged-out")
    try:
        return visit.redirect(await visit.services.login.logout_url(tokens.id_token if tokens else ""))
    except LoginUnreachableError:
        return visit.redirect("/auth/logged-out")


@router.get("/logged-out")
async def show_logged_out(visit: Visitor) -> HTMLResponse:
    """Say that the person is logged out."""
    return await visit.page("auth/logged_out.html")


@router.post("/backchannel-logout")
async def end_from_keycloak(request: Request) -> Response:
    """Keycloak says that a log-in has ended: no session of it goes on (Back-Channel Logout 1.0, section 2.5)."""
    services = services_of(request)
    form = await request.form(max_files=0, max_fields=5)
    token = form.get("logout_token", "")
    try:
        claims = await services.login.logout_claims(token if isinstance(token, str) else "")
    except LoginRefusedError as error:
        log.warning("A log-out token was refused", extra={"fields": {"why": str(error)}})
        return PlainTextResponse("invalid_request", status_code=400)
    except LoginUnreachableError:
        return PlainTextResponse("temporarily_unavailable", status_code=503)
    count = await services.sessions.end_login(
        login_id=str(claims.get("sid") or ""),
        account_id=str(claims.get("sub") or ""),
        before=logout_instant(claims, services.clock),
    )
    log.info("Sessions ended from Keycloak", extra={"fields": {"sessions": count}})
    return Response(status_code=200)


def _cookie_of(visit: Visit, state: str) -> str:
    """Several log-ins may be under way in several tabs; each has its own cookie."""
    suffix = "".join(one for one in state[:8] if one.isalnum())
    return visit.cookie_name(f"login-{suffix}")
