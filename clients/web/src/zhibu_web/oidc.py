"""Log-in with Keycloak: OpenID Connect authorisation code with PKCE, as a confidential client.

The state of a log-in under way lies in a sealed cookie of a few minutes, so that pages which anybody may open leave no row.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast
from urllib.parse import urlencode, urlsplit

import httpx
import orjson
from joserfc import jws
from joserfc.errors import JoseError
from zhibu_kit.clock import Clock
from zhibu_kit.errors import ServiceError
from zhibu_kit.jwks import KeySource
from zhibu_kit.keycloak_calls import KeycloakCalls
from zhibu_kit.telemetry import Telemetry

from zhibu_web.sealing import BrokenSealError, Sealer
from zhibu_web.session import Tokens
from zhibu_web.settings import WebSettings

LOGIN_LIFETIME_S: Final = 1800
DISCOVERY_LIFETIME_S: Final = 600.0
CALL_TIMEOUT_S: Final = 8.0
# Clocks of Keycloak and of this machine may differ by this much.
LEEWAY_S: Final = 30
MAX_TOKEN_LENGTH: Final = 16_384
BACKCHANNEL_LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_ALGORITHMS: Final = ["RS256", "ES256"]

Claims = dict[str, object]


class LoginUnreachableError(Exception):
    """Keycloak does not answer."""


class LoginRefusedError(Exception):
    """Keycloak refused, or sent something that is not to be believed."""


class LoginEndedError(Exception):
    """The log-in is over: it expired, was ended, or the account is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginUnderWay:
    """What must come back from Keycloak, and where the person wanted to go."""

    state: str
    nonce: str
    verifier: str
    return_to: str
    action: str
    expires_at_s: int
    fresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """The outcome of a log-in."""

    tokens: Tokens
    account_id: str
    login_id: str
    member_id: str
    eid_number: str
    # When the person proved who they are; None when Keycloak does not say.
    login_time: datetime | None


@dataclass(frozen=True, slots=True)
class _Provider:
    authorization_endpoint: str
    token_endpoint: str
    end_session_endpoint: str


class Login:
    """Talks to Keycloak, and believes only what it signed."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        settings: WebSettings,
        *,
        sealer: Sealer,
        clock: Clock,
        telemetry: Telemetry | None = None,
    ) -> None:
        """Use the realm and client that the settings name."""
        self._calls = KeycloakCalls(telemetry)
        self._http = http
        self._settings = settings
        self._sealer = sealer
        self._clock = clock
        self._keys = KeySource(http, issuer=settings.oidc_issuer, jwks_url=settings.oidc_jwks_url, telemetry=telemetry)
        self._provider: _Provider | None = None
        self._provider_expires_at_s = 0.0

    @property
    def redirect_uri(self) -> str:
        """Where Keycloak sends people back to."""
        return f"{self._settings.public_url}/auth/callback"

    async def begin(
        self, *, return_to: str, language: str, action: str = "", fresh: bool = False, by_certificate: bool = False
    ) -> tuple[str, LoginUnderWay]:
        """Return the address of Keycloak's log-in page, and what to keep until the person comes back.

        With an `action` (for example UPDATE_PASSWORD) Keycloak asks a person who is logged in to do just that;
        `fresh` has it ask once more who this is, however short ago that was. With `by_certificate` it asks the browser
        for the certificate of an officer's key stick.
        """
        provider = await self._provider_known()
        under_way = LoginUnderWay(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            return_to=return_to,
            action=action,
            expires_at_s=int(self._clock.now().timestamp()) + LOGIN_LIFETIME_S,
            fresh=fresh,
        )
        challenge = base64.urlsafe_b64encode(hashlib.sha256(under_way.verifier.encode()).digest()).rstrip(b"=")
        parameters = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid",
            "state": under_way.state,
            "nonce": under_way.nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
            "ui_locales": "en" if language == "en" else "zh-Hans",
        }
        if action:
            parameters["kc_action"] = action
        if fresh:
            parameters["prompt"] = "login"
        endpoint = provider.authorization_endpoint
        if by_certificate and self._settings.certificate_login_url:
            endpoint = self._settings.certificate_login_url.rstrip("/") + urlsplit(endpoint).path
        return f"{endpoint}?{urlencode(parameters)}", under_way

    def sealed(self, under_way: LoginUnderWay) -> str:
        """Return the contents of the cookie that keeps a log-in under way."""
        fields = {name: getattr(under_way, name) for name in LoginUnderWay.__slots__}
        return base64.urlsafe_b64encode(self._sealer.seal(orjson.dumps(fields), b"login")).decode()

    def find_under_way(self, cookie: str, state: str) -> LoginUnderWay | None:
        """Return the log-in of a cookie when it is the one with this state and not too old."""
        try:
            fields = orjson.loads(self._sealer.open(base64.urlsafe_b64decode(cookie), b"login"))
            under_way = LoginUnderWay(**fields)
        except (BrokenSealError, ValueError, TypeError):
            return None
        fresh = under_way.expires_at_s > self._clock.now().timestamp()
        return under_way if fresh and secrets.compare_digest(under_way.state.encode(), state.encode()) else None

    async def finish(self, under_way: LoginUnderWay, code: str) -> LoggedIn:
        """Exchange the code for tokens and check the identity token.

        Raises:
            LoginRefusedError: Keycloak refused the code, or the identity token is not for us.
            LoginUnreachableError: Keycloak does not answer.
        """
        answer = await self._token_call(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self.redirect_uri,
                "code_verifier": under_way.verifier,
            }
        )
        if answer is None:
            raise LoginRefusedError("the code was refused")
        tokens = self._tokens_of(answer)
        claims = await self._verified(tokens.id_token)
        if claims.get("nonce") != under_way.nonce:
            raise LoginRefusedError("the identity token answers another question")
        self._check_times(claims, needs_expiry=True)
        return LoggedIn(
            tokens=tokens,
            account_id=_text(claims, "sub"),
            login_id=_text(claims, "sid"),
            member_id=str(claims.get("member_id") or ""),
            eid_number=str(claims.get("preferred_username") or ""),
            login_time=self._login_time(claims, under_way),
        )

    def _login_time(self, claims: Claims, under_way: LoginUnderWay) -> datetime | None:
        auth_time, now = claims.get("auth_time"), self._clock.now()
        if isinstance(auth_time, int | float):
            return datetime.fromtimestamp(auth_time, now.tzinfo)
        return now if under_way.fresh else None

    async def refreshed(self, tokens: Tokens) -> Tokens:
        """Return new tokens for old ones.

        Raises:
            LoginEndedError: Keycloak does not prolong this log-in.
            LoginUnreachableError: Keycloak does not answer.
        """
        if not tokens.refresh_token:
            raise LoginEndedError
        answer = await self._token_call({"grant_type": "refresh_token", "refresh_token": tokens.refresh_token})
        if answer is None:
            raise LoginEndedError
        fresh = self._tokens_of(answer)
        return fresh if fresh.id_token else fresh.model_copy(update={"id_token": tokens.id_token})

    async def logout_url(self, id_token: str) -> str:
        """Return the address at which Keycloak ends its own session and sends the person back."""
        provider = await self._provider_known()
        parameters = {
            "client_id": self._settings.oidc_client_id,
            "post_logout_redirect_uri": f"{self._settings.public_url}/auth/logged-out",
        }
        if id_token:
            parameters["id_token_hint"] = id_token
        return f"{provider.end_session_endpoint}?{urlencode(parameters)}"

    async def logout_claims(self, logout_token: str) -> Claims:
        """Return the claims of a back-channel log-out token (OpenID Connect Back-Channel Logout 1.0, section 2.6).

        Raises:
            LoginRefusedError: it is not a log-out token for us.
        """
        claims = await self._verified(logout_token)
        self._check_times(claims, needs_expiry=False)
        events = claims.get("events")
        if not isinstance(events, dict) or BACKCHANNEL_LOGOUT_EVENT not in events or "nonce" in claims:
            raise LoginRefusedError("not a log-out token")
        if not claims.get("sid") and not claims.get("sub"):
            raise LoginRefusedError("the log-out token names nobody")
        return claims

    async def _provider_known(self) -> _Provider:
        if self._provider is not None and time.monotonic() < self._provider_expires_at_s:
            return self._provider
        url = self._settings.oidc_discovery_url or (
            self._settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration"
        )
        try:
            with self._calls.measure("discovery"):
                response = await self._http.get(url, timeout=CALL_TIMEOUT_S)
                document = cast("Claims", response.raise_for_status().json())
            if document.get("issuer") != self._settings.oidc_issuer:
                raise LoginUnreachableError("the discovery document belongs to another issuer")
            self._provider = _Provider(
                _text(document, "authorization_endpoint"),
                _text(document, "token_endpoint"),
                _text(document, "end_session_endpoint"),
            )
        except (httpx.HTTPError, ValueError, LoginRefusedError) as error:
            if self._provider is not None:
                return self._provider
            raise LoginUnreachableError from error
        self._provider_expires_at_s = time.monotonic() + DISCOVERY_LIFETIME_S
        return self._provider

    async def _token_call(self, form: Mapping[str, str]) -> Claims | None:
        """Call the token endpoint; None when Keycloak says that the grant is not good (any more)."""
        with self._calls.measure("log-in"):
            return await self._ask_for_tokens(form)

    async def _ask_for_tokens(self, form: Mapping[str, str]) -> Claims | None:
        provider = await self._provider_known()
        try:
            response = await self._http.post(
                provider.token_endpoint,
                data=dict(form),
                auth=httpx.BasicAuth(self._settings.oidc_client_id, self._settings.oidc_client_secret),
                timeout=CALL_TIMEOUT_S,
            )
            document: object = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise LoginUnreachableError from error
        if not isinstance(document, dict):
            raise LoginUnreachableError
        answer = cast("Claims", document)
        if response.status_code == 200:
            return answer
        if answer.get("error") == "invalid_grant":
            return None
        # A wrong client secret and the like are ours to mend: nobody's log-in is over because of it.
        raise LoginUnreachableError(str(answer.get("error")))

    def _tokens_of(self, answer: Claims) -> Tokens:
        lifetime = answer.get("expires_in")
        return Tokens(
            access_token=_text(answer, "access_token"),
            access_expire_time=self._clock.now()
            + timedelta(seconds=int(lifetime) if isinstance(lifetime, int) else 60),
            refresh_token=str(answer.get("refresh_token") or ""),
            id_token=str(answer.get("id_token") or ""),
        )

    async def _verified(self, token: str) -> Claims:
        """Return the claims of a token that Keycloak signed for us."""
        if not token or len(token) > MAX_TOKEN_LENGTH:
            raise LoginRefusedError("no token")
        try:
            header = jws.extract_compact(token.encode("ascii")).headers()
            algorithm, key_id = header.get("alg"), header.get("kid")
            if algorithm not in _ALGORITHMS or not isinstance(key_id, str):
                raise LoginRefusedError("a token of another kind")
            key = await self._keys.find(key_id, str(algorithm))
            if key is None:
                raise LoginRefusedError("a token signed with an unknown key")
            signed = jws.deserialize_compact(token.encode("ascii"), key, algorithms=_ALGORITHMS)
            claims: object = orjson.loads(signed.payload)
        except (JoseError, ValueError) as error:
            raise LoginRefusedError("a token that is not signed well") from error
        except ServiceError as error:
            raise LoginUnreachableError from error
        if not isinstance(claims, dict):
            raise LoginRefusedError("a token without claims")
        known = cast("Claims", claims)
        audience = known.get("aud")
        audiences = cast("list[object]", audience) if isinstance(audience, list) else [audience]
        if known.get("iss") != self._settings.oidc_issuer or self._settings.oidc_client_id not in audiences:
            raise LoginRefusedError("a token for somebody else")
        return known

    def _check_times(self, claims: Claims, *, needs_expiry: bool) -> None:
        now_s = self._clock.now().timestamp()
        issued_at, expires_at = claims.get("iat"), claims.get("exp")
        if not isinstance(issued_at, int | float) or not now_s - 600 <= issued_at <= now_s + LEEWAY_S:
            raise LoginRefusedError("a token of another time")
        if isinstance(expires_at, int | float):
            if expires_at < now_s - LEEWAY_S:
                raise LoginRefusedError("an expired token")
        elif needs_expiry:
            raise LoginRefusedError("a token without expiry")


def logout_instant(claims: Claims, clock: Clock) -> datetime:
    """Return the instant of a log-out: sessions opened after it are not meant."""
    issued_at = claims.get("iat")
    now = clock.now()
    # Tokens carry whole seconds: a session opened within the same second is meant too.
    return datetime.fromtimestamp(int(issued_at) + 1, now.tzinfo) if isinstance(issued_at, int | float) else now


def _text(claims: Claims, name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise LoginRefusedError(f"{name} is missing")
    return value
