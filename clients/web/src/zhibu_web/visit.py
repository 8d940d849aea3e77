"""One request of one person: their session, language and form, the gateway on their behalf, and the page they get."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, TypeVar, cast
from urllib.parse import urlsplit

import httpx
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from opentelemetry.metrics import Histogram
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from zhibu_kit.clock import Clock
from zhibu_kit.health import Health
from zhibu_kit.telemetry import Telemetry

from zhibu_web.contract import Eid, Grant, Message
from zhibu_web.directory import Directory
from zhibu_web.forms import Form
from zhibu_web.gateway_client import Caller, Gateway, GatewayUnreachableError, ProblemError
from zhibu_web.oidc import Login, LoginEndedError, LoginUnreachableError
from zhibu_web.rendering import Renderer
from zhibu_web.sealing import Sealer
from zhibu_web.session import Flash, Member, SessionData
from zhibu_web.session_store import EndedReason, EndedSession, Session, SessionGoneError, SessionStore
from zhibu_web.settings import WebSettings, origin_of
from zhibu_web.texts import EN, ZH, text
from zhibu_web.visitor_limit import VisitorLimit

# A token that ends sooner than this is exchanged before it is used.
REFRESH_BEFORE_S: Final = 30
# Name and offices of a member are asked for anew after this time.
MEMBER_KNOWN_S: Final = 60
# The number beside "inbox" may be this old; reading a notice here changes it at once.
UNREAD_KNOWN_S: Final = 30
# How long a page waits for what only its header shows.
FRAME_TIMEOUT_S: Final = 1.5
PREFERENCE_LIFETIME_S: Final = 365 * 24 * 3600
MAX_FORM_FIELDS: Final = 500
R = TypeVar("R", bound=Response)
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class SignInNeededError(Exception):
    """The page is for members who are logged in."""


class SessionEndedError(Exception):
    """The person's session is over; they are told why."""

    def __init__(self, reason: EndedReason) -> None:
        """Name the reason."""
        super().__init__(reason)
        self.reason: EndedReason = reason


class ForgedFormError(Exception):
    """A form that does not come from one of our pages, or from one that is too old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What every request shares."""

    settings: WebSettings
    sessions: SessionStore
    sealer: Sealer
    login: Login
    gateway_http: httpx.AsyncClient
    directory: Directory
    renderer: Renderer
    telemetry: Telemetry
    visitor_limit: VisitorLimit
    health: Health
    durations: Histogram
    clock: Clock


class Visit:
    """One request, from the cookie to the page."""

    def __init__(self, request: Request, services: Services) -> None:
        """Take language and size of type from the cookies; nothing is asked for yet."""
        self.request = request
        self.services = services
        self.session: Session | None = None
        self.form = Form()
        self.form_lists: dict[str, list[str]] = {}
        self.language = EN if request.cookies.get("zhibu-language") == EN else ZH
        self.large_type = request.cookies.get("zhibu-type") == "large"
        self._cookies: list[tuple[str, str, int | None]] = []

    # ---- texts

    def t(self, key: str, **values: object) -> str:
        """Return a text in the person's language."""
        return text(self.language, key, **values)

    # ---- session

    @property
    def data(self) -> SessionData:
        """What is remembered of this browser; nothing when there is no session."""
        return self.session.data if self.session is not None else SessionData()

    @property
    def signed_in(self) -> bool:
        """Whether a member is logged in."""
        return self.session is not None and self.session.kind == "member"

    def cookie_name(self, name: str) -> str:
        """Return the name of a cookie; over TLS it is bound to this host by its prefix."""
        return f"__Host-zhibu-{name}" if self.services.settings.https else f"zhibu-{name}"

    def set_cookie(self, name: str, value: str, *, max_age_s: int | None = None) -> None:
        """Have the answer set a cookie that scripts cannot read; for this browser session unless an age is given."""
        self._cookies.append((name, value, max_age_s))

    def drop_cookie(self, name: str) -> None:
        """Have the answer delete a cookie."""
        self._cookies.append((name, "", 0))

    def set_preference(self, name: str, value: str) -> None:
        """Remember a choice of language or type for a year."""
        self._cookies.append((f"zhibu-{name}", value, PREFERENCE_LIFETIME_S))

    async def open(self, *, read_form: bool = True) -> None:
        """Find the session, read the form and refuse what does not come from our own pages.

        Without `read_form` whoever opens the visit reads the body and calls `admit_form` before believing any of it.

        Raises:
            SessionEndedError: the session was ended from elsewhere.
            ForgedFormError: a form without a good token.
        """
        session_id = self.request.cookies.get(self.cookie_name("session"), "")
        found = await self.services.sessions.find(session_id) if session_id else None
        if isinstance(found, EndedSession):
            await self.services.sessions.end(session_id)
            self.drop_cookie(self.cookie_name("session"))
            raise SessionEndedError(found.reason)
        self.session = found
        if read_form and self.request.method not in SAFE_METHODS:
            await self._read_form()

    async def _read_form(self) -> None:
        try:
            form: FormData = await self.request.form(max_files=0, max_fields=MAX_FORM_FIELDS)
        except HTTPException:
            raise ForgedFormError from None
        self.admit_form((name, value) for name, value in form.multi_items() if isinstance(value, str))

    def admit_form(self, fields: Iterable[tuple[str, str]]) -> None:
        """Take the fields of a form that comes from one of our pages.

        Raises:
            ForgedFormError: it does not, or its token is not good.
        """
        for name, value in fields:
            # Browsers send line ends as CRLF; everybody else counts them as one character.
            clean = value.replace("\r\n", "\n").replace("\x00", "")
            self.form.values.setdefault(name, clean)
            self.form_lists.setdefault(name, []).append(clean)
        headers = self.request.headers
        source = headers.get("origin") or origin_of(headers.get("referer", ""))
        if source and source != self.services.settings.public_origin:
            raise ForgedFormError
        token = self.form.values.pop("csrf", "")
        subjects = [subject for subject in (self._session_subject(), self._visitor_subject()) if subject]
        if self.signed_in:
            subjects = subjects[:1]
        if not any(self.services.sealer.matches(token, subject) for subject in subjects):
            raise ForgedFormError

    def _session_subject(self) -> str:
        return f"session:{self.session.session_id}" if self.session is not None else ""

    def _visitor_subject(self) -> str:
        cookie = self.request.cookies.get(self.cookie_name("form"), "")
        return f"visitor:{cookie}" if len(cookie) >= 32 else ""

    def csrf_token(self) -> str:
        """Return the token that every form carries; visitors without a session get a cookie to go with it."""
        subject = self._session_subject() or self._visitor_subject()
        if not subject:
            fresh = next((value for name, value, _ in self._cookies if name == self.cookie_name("form")), "")
            if not fresh:
                fresh = secrets.token_urlsafe(32)
                self.set_cookie(self.cookie_name("form"), fresh)
            subject = f"visitor:{fresh}"
        return self.services.sealer.token(subject)

    @asynccontextmanager
    async def change(self) -> AsyncGenerator[SessionData]:
        """Change what is remembered of this browser; a visitor without a session gets one."""
        if self.session is None:
            self.services.visitor_limit.count(self._caller("").address)
            data = SessionData()
            yield data
            await self.replace_session(data)
            return
        try:
            async with self.services.sessions.change(self.session.session_id) as data:
                yield data
        except SessionGoneError:
            raise SessionEndedError("expired") from None
        self.session = Session(self.session.session_id, self.session.kind, data)

    async def replace_session(self, data: SessionData, *, account_id: str = "", login_id: str = "") -> None:
        """Open a new session, a member's when an account is given, and forget the one before."""
        kind = "member" if account_id else "visitor"
        if self.session is not None:
            await self.services.sessions.end(self.session.session_id)
        session_id = await self.services.sessions.create(data, kind=kind, account_id=account_id, login_id=login_id)
        self.set_cookie(self.cookie_name("session"), session_id)
        self.session = Session(session_id, kind, data)

    async def end_session(self) -> None:
        """Forget everything about this browser."""
        if self.session is not None:
            await self.services.sessions.end(self.session.session_id)
            self.session = None
        self.drop_cookie(self.cookie_name("session"))

    async def flash(self, flash: Flash) -> None:
        """Keep a message for the next page."""
        async with self.change() as data:
            data.flashes = [*data.flashes, flash][-5:]

    # ---- the gateway

    @property
    def public(self) -> Gateway:
        """The gateway, called by nobody in particular."""
        return Gateway(self.services.gateway_http, self._caller(""))

    async def gateway(self) -> Gateway:
        """Return the gateway on behalf of the member who is logged in.

        Raises:
            SignInNeededError: nobody is.
            SessionEndedError: Keycloak has ended the log-in.
        """
        if self.session is None or self.session.kind != "member" or self.session.data.tokens is None:
            raise SignInNeededError
        tokens = self.session.data.tokens
        if not self._good(tokens.access_expire_time, REFRESH_BEFORE_S):
            await self._refresh()
            tokens = self.data.tokens
            if tokens is None:
                raise SignInNeededError
        return Gateway(self.services.gateway_http, self._caller(tokens.access_token))

    async def _refresh(self) -> None:
        """Exchange the tokens; the row's lock lets one request do it while the others wait and use the outcome."""
        try:
            async with self.change() as data:
                if data.tokens is None:
                    raise SignInNeededError
                if not self._good(data.tokens.access_expire_time, REFRESH_BEFORE_S):
                    try:
                        data.tokens = await self.services.login.refreshed(data.tokens)
                    except LoginUnreachableError:
                        if not self._good(data.tokens.access_expire_time, 0):
                            raise
        except LoginEndedError:
            await self.end_session()
            raise SessionEndedError("expired") from None

    def _good(self, expire_time: datetime, ahead_s: int) -> bool:
        return expire_time > self.services.clock.now() + timedelta(seconds=ahead_s)

    def _caller(self, access_token: str) -> Caller:
        client = self.request.client
        return Caller(language=self.language, address=client.host if client else "", access_token=access_token)

    async def member(self) -> Member:
        """Return who is logged in, with name and offices not older than a minute."""
        gateway = await self.gateway()
        member = self.data.member
        if member is None:
            raise SignInNeededError
        if self._old(member.known_time, MEMBER_KNOWN_S):
            member = await self.remember_member(await gateway.get("/v1/me", Me))
        return member

    async def remember_member(self, me: Me) -> Member:
        """Keep what the gateway says of the member who is logged in, for a minute."""
        async with self.change() as data:
            if data.member is None:
                raise SignInNeededError
            data.member = _known(data.member, me, self.services.clock.now())
            return data.member

    def _old(self, known_time: datetime | None, lifetime_s: int) -> bool:
        return known_time is None or self.services.clock.now() - known_time > timedelta(seconds=lifetime_s)

    async def _look_up_frame(self) -> None:
        """Learn what the header shows: the member's offices and how many notices wait.

        A page is never late or lost because of it: without an answer soon, the header shows what is known.
        """
        data = self.data
        if data.member is None or data.tokens is None or not self._good(data.tokens.access_expire_time, 0):
            return
        wants_me = self._old(data.member.known_time, MEMBER_KNOWN_S)
        if not wants_me and not self._old(data.unread_known_time, UNREAD_KNOWN_S):
            return
        gateway = Gateway(self.services.gateway_http, self._caller(data.tokens.access_token))
        try:
            async with asyncio.timeout(FRAME_TIMEOUT_S):
                unread, me = await asyncio.gather(
                    gateway.get("/v1/me/inbox:countUnread", _Unread),
                    gateway.get("/v1/me", Me) if wants_me else _nothing(),
                )
        except (ProblemError, GatewayUnreachableError, TimeoutError):
            return
        now = self.services.clock.now()
        async with self.change() as fresh:
            fresh.unread_count, fresh.unread_known_time = unread.unread_count, now
            if me is not None and fresh.member is not None:
                fresh.member = _known(fresh.member, me, now)

    async def remember_unread(self, count: int) -> None:
        """Keep how many notices wait, when a page has just learnt it."""
        if count != self.data.unread_count or self._old(self.data.unread_known_time, UNREAD_KNOWN_S):
            async with self.change() as data:
                data.unread_count, data.unread_known_time = count, self.services.clock.now()

    # ---- answers

    async def page(self, template: str, *, status: int = 200, **context: object) -> HTMLResponse:
        """Return a page; messages kept for it are shown and forgotten."""
        if status < 400 and self.signed_in and not self.is_fragment:
            await self._look_up_frame()
        flashes = list(self.data.flashes)
        if flashes:
            async with self.change() as data:
                data.flashes = []
        html = self.services.renderer.render(
            template,
            {
                **context,
                "visit": self,
                "t": self.t,
                "language": self.language,
                "csrf_token": self.csrf_token(),
                "flashes": flashes,
                "request_id": new_request_id(),
                "help_default": self.services.settings,
            },
        )
        return self.with_cookies(HTMLResponse(html, status_code=status))

    def redirect(self, path: str) -> Response:
        """Send the browser to another page of ours, or to Keycloak."""
        return self.with_cookies(RedirectResponse(path, status_code=303))

    def with_cookies(self, response: R) -> R:
        """Add the cookies that were asked for."""
        for name, value, max_age_s in self._cookies:
            response.set_cookie(
                name,
                value,
                max_age=max_age_s,
                path="/",
                secure=self.services.settings.https,
                httponly=True,
                samesite="lax",
            )
        self._cookies = []
        return response

    @property
    def here(self) -> str:
        """Path of this page, when it can be opened again by its address; otherwise that of the section."""
        if self.request.method == "GET" and not self.is_fragment:
            query = self.request.url.query
            return self.request.url.path + (f"?{query}" if query else "")
        referer = urlsplit(self.request.headers.get("referer", ""))
        return local_path(referer.path + (f"?{referer.query}" if referer.query else ""))

    @property
    def is_fragment(self) -> bool:
        """Whether htmx asks for a part of a page."""
        return self.request.headers.get("hx-request") == "true"


class Me(Message):
    """The member who is logged in: e-ID and offices."""

    eid: Eid = Eid()
    grants: tuple[Grant, ...] = ()


class _Unread(Message):
    unread_count: int = 0


async def _nothing() -> None:
    """Stand in for a call that is not needed."""


def _known(member: Member, me: Me, now: datetime) -> Member:
    return member.model_copy(
        update={
            "member_id": me.eid.member_id or member.member_id,
            "eid_number": me.eid.eid_number or member.eid_number,
            "real_name": me.eid.real_name,
            "organisation_id": me.eid.organisation_id,
            "grants": list(me.grants),
            "known_time": now,
        }
    )


def local_path(target: str) -> str:
    """Return a path of ours to go to, whatever was asked for: never another site."""
    if not target.startswith("/") or target.startswith(("//", "/\\")) or any(ord(one) < 33 for one in target):
        return "/"
    return "/" if target.startswith("/auth/") else target


def new_request_id() -> str:
    """Return an identifier for one act: pressing twice acts once."""
    return secrets.token_hex(16)


def services_of(request: Request) -> Services:
    """Return what every request shares."""
    return cast("Services", request.app.state.services)


async def open_visit(request: Request) -> Visit:
    """Open the visit of a request; handlers and error pages find it in `request.state` too."""
    visit = Visit(request, services_of(request))
    request.state.visit = visit
    await visit.open()
    return visit


Visitor = Annotated[Visit, Depends(open_visit)]


async def open_member_visit(visit: Visitor) -> Visit:
    """Open a visit to a page for members who are logged in."""
    if not visit.signed_in:
        raise SignInNeededError
    return visit


MemberVisit = Annotated[Visit, Depends(open_member_visit)]
