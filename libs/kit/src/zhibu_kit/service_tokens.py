"""The service's own token, had with client credentials (RFC 6749, section 4.4), kept and renewed before it expires."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, cast

import httpx

from zhibu_kit.clock import Clock
from zhibu_kit.errors import UNAVAILABLE
from zhibu_kit.keycloak_calls import KeycloakCalls
from zhibu_kit.settings import ServiceSettings
from zhibu_kit.telemetry import Telemetry

log = logging.getLogger("zhibu.auth")

# Renewed this long before it expires, so that a call never leaves with a token that dies on the way.
MARGIN_S: Final = 60.0
# When renewing fails, the old token is used and the issuer left alone for this long.
RETRY_S: Final = 2.0
TIMEOUT_S: Final = 5.0


class ServiceTokens:
    """Hands out the token of the service account; many callers at once cause one request."""

    def __init__(
        self, http: httpx.AsyncClient, settings: ServiceSettings, *, clock: Clock, telemetry: Telemetry | None = None
    ) -> None:
        """Use the client id and secret of the settings at the issuer's token endpoint."""
        self._http = http
        self._settings = settings
        self._clock = clock
        self._token = ""
        self._expires_at_s = 0.0
        self._renew_at_s = 0.0
        self._url = settings.oidc_token_url
        self._lock = asyncio.Lock()
        self._calls = KeycloakCalls(telemetry)

    async def token(self) -> str:
        """Return a token that is good for a while.

        Raises:
            ServiceError: UNAVAILABLE when the issuer gives none and the last one has expired.
        """
        if self._now_s() < self._renew_at_s:
            return self._token
        async with self._lock:
            if self._now_s() >= self._renew_at_s:
                await self._renew()
        return self._token

    def _now_s(self) -> float:
        return self._clock.now().timestamp()

    async def _renew(self) -> None:
        try:
            with self._calls.measure("service token"):
                lifetime_s = await self._ask()
        except (httpx.HTTPError, ValueError, KeyError) as error:
            log.warning("No service token could be had", extra={"fields": {"error": type(error).__name__}})
            if self._now_s() >= self._expires_at_s:
                raise UNAVAILABLE() from None
            self._renew_at_s = self._now_s() + RETRY_S
            return
        self._expires_at_s = self._now_s() + lifetime_s
        self._renew_at_s = self._expires_at_s - min(MARGIN_S, lifetime_s / 2)

    async def _ask(self) -> float:
        """Ask for a token, keep it, and return for how many seconds it is good."""
        if not self._url:
            discovery = self._settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration"
            response = await self._http.get(discovery, timeout=TIMEOUT_S)
            self._url = str(response.raise_for_status().json()["token_endpoint"])
        response = await self._http.post(
            self._url,
            data={"grant_type": "client_credentials"},
            auth=(self._settings.oidc_client_id, self._settings.oidc_client_secret),
            timeout=TIMEOUT_S,
        )
        answer = cast("dict[str, object]", response.raise_for_status().json())
        self._token = str(answer["access_token"])
        return float(str(answer["expires_in"]))
