"""Logs people in as a browser does: through Keycloak's own pages, with authorisation code and PKCE.

A form is read with an HTML parser, filled by the names of its fields, and sent; so long until Keycloak leads back to the client.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, NoReturn, Self
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
from lxml import html

from zhibu_demo.errors import DemoError

CLIENT_ID: Final = "zhibu-cli"
# Nothing listens there: the address only carries the code back, and is read from the redirect.
REDIRECT_URI: Final = "http://127.0.0.1/callback"
# Name and password, code, new password, a notice: more pages than this are a circle.
_MAX_PAGES: Final = 10
_TIMEOUT_S: Final = 60.0
# A token is renewed when it has less than this left.
_LEAST_LIFE_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a person fills in. `code` gets a one-time code sent and returns it; `new_password` is set where asked for."""

    eid_number: str
    password: str
    code: Callable[[], Awaitable[str]]
    new_password: str = ""


class Session:
    """A person who is logged in; `token` is a TokenSource."""

    def __init__(self, client: httpx.AsyncClient, issuer: str, answer: dict[str, object]) -> None:
        self._client = client
        self._issuer = issuer
        self._keep(answer)

    async def token(self) -> str:
        """Return an access token that is good for a while yet."""
        if time.monotonic() > self._renew_at_s:
            self._keep(
                await _exchange(
                    self._client, self._issuer, {"grant_type": "refresh_token", "refresh_token": self._refresh}
                )
            )
        return self._access

    @property
    def refresh_token(self) -> str:
        """With it another process goes on with the session; to be kept like a password."""
        return self._refresh

    def _keep(self, answer: dict[str, object]) -> None:
        self._access = str(answer["access_token"])
        self._refresh = str(answer["refresh_token"])
        self._renew_at_s = time.monotonic() + float(str(answer["expires_in"])) - _LEAST_LIFE_S


class Keycloak:
    """The realm's public pages."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer.rstrip("/")
        self._client = httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def resume(self, refresh_token: str) -> Session | None:
        """Go on with a session of another process; None when it is over."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        try:
            return Session(self._client, self._issuer, await _exchange(self._client, self._issuer, form))
        except DemoError:
            return None

    async def log_in(self, answers: Answers) -> Session:
        """Go through the pages until the client has its tokens.

        Raises:
            DemoError: Keycloak refuses, or shows a page that the loader does not know.
        """
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        state = secrets.token_urlsafe(16)
        parameters = {
            "client_id": CLIENT_ID,
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": REDIRECT_URI,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        # Cookies of its own: two people must not share one browser.
        async with _browser(self._issuer) as browser:
            page = await browser.get(f"{self._issuer}/protocol/openid-connect/auth", params=parameters)
            code = await _walk(browser, page, answers, state)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": verifier,
        }
        return Session(self._client, self._issuer, await _exchange(self._client, self._issuer, form))


def _browser(issuer: str) -> httpx.AsyncClient:
    """Return a client with cookies of its own that, as browsers do, sends secure ones to the loopback without TLS too."""
    browser = httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False)
    if urlsplit(issuer).hostname not in ("localhost", "127.0.0.1", "::1"):
        return browser

    async def trust_loopback(_response: httpx.Response) -> None:
        for cookie in browser.cookies.jar:
            cookie.secure = False

    browser.event_hooks = {"response": [trust_loopback]}
    return browser


async def _walk(browser: httpx.AsyncClient, page: httpx.Response, answers: Answers, state: str) -> str:
    for _ in range(_MAX_PAGES):
        while page.is_redirect:
            target = urljoin(str(page.url), page.headers["location"])
            if target.startswith(REDIRECT_URI):
                return _code_of(target, state)
            page = await browser.get(target)
        action, fields, answers = await _fill(page, answers)
        page = await browser.post(action, data=fields)
    raise DemoError("登录页面没有结束。", "The log-in pages do not come to an end.")


async def _fill(page: httpx.Response, answers: Answers) -> tuple[str, dict[str, str], Answers]:
    """Return where the page's form goes and what is in it, and the answers that are left."""
    tree = html.fromstring(page.content, base_url=str(page.url))
    for form in tree.forms:
        fields = {name: value or "" for name, value in form.form_values()}
        names = {str(name) for name in form.fields}
        if {"password-new", "password-confirm"} <= names and answers.new_password:
            filled = {"password-new": answers.new_password, "password-confirm": answers.new_password}
            # The next page that asks for a password asks for the new one.
            answers = replace(answers, password=answers.new_password, new_password="")
        elif "password" in names:
            filled = {"username": answers.eid_number, "password": answers.password}
            # Asked for it once more, Keycloak has refused it.
            answers = replace(answers, password="") if answers.password else _refuse(page)
        elif "otp" in names:
            filled = {"otp": await answers.code()}
        else:
            continue
        # lxml resolves no relative address by itself.
        return urljoin(str(page.url), str(form.action)), {**fields, **filled}, answers
    return _refuse(page)


def _refuse(page: httpx.Response) -> NoReturn:
    raise DemoError(
        f"登录没有成功（Keycloak 状态 {page.status_code}）。",
        f"Keycloak did not log the person in (status {page.status_code}).",
    )


def _code_of(target: str, state: str) -> str:
    query = parse_qs(urlsplit(target).query)
    if query.get("state") != [state] or "code" not in query:
        raise DemoError("登录被拒绝。", f"Keycloak refused the log-in: {query.get('error', ['no code'])[0]}.")
    return query["code"][0]


async def _exchange(client: httpx.AsyncClient, issuer: str, form: dict[str, str]) -> dict[str, object]:
    response = await client.post(f"{issuer}/protocol/openid-connect/token", data={"client_id": CLIENT_ID, **form})
    if not response.is_success:
        raise DemoError("没有取得令牌。", f"Keycloak gave no token (status {response.status_code}).")
    return response.json()
