"""The issuer's keys: fetched when first needed, again when an unknown one is named, and now and then."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, cast

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from zhibu_kit.clock import Clock, SystemClock
from zhibu_kit.errors import UNAVAILABLE
from zhibu_kit.keycloak_calls import KeycloakCalls
from zhibu_kit.telemetry import Telemetry

log = logging.getLogger("zhibu.auth")

# Somebody who sends tokens with invented key ids must not make us ask the issuer each time.
MIN_REFETCH_S: Final = 5.0
# After a key is withdrawn, tokens signed with it are accepted no longer than this.
MAX_AGE_S: Final = 300.0
# A realm has a handful of keys; a larger answer is not one.
MAX_KEYS: Final = 32
FETCH_TIMEOUT_S: Final = 5.0

type_of_algorithm: Final = {"RS256": "RSA", "ES256": "EC"}


class KeySource:
    """The signing keys of one issuer.

    Keys rotate without a restart: a token with an unknown key id makes us fetch again, at most every few seconds. When the
    issuer does not answer, the keys in hand go on being used.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        issuer: str,
        jwks_url: str = "",
        clock: Clock | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        """Use the keys of `issuer`; its discovery document names their address unless `jwks_url` does."""
        self._http = http
        self._issuer = issuer
        self._url = jwks_url
        self._clock = clock or SystemClock()
        self._keys: dict[tuple[str, str], RSAKey | ECKey] = {}
        self._fetched_at_s: float | None = None
        self._tried_at_s: float | None = None
        self._lock = asyncio.Lock()
        self._calls = KeycloakCalls(telemetry)
        # Rises when a key disappears, so that tokens verified with it are looked at again.
        self.generation = 0

    @property
    def needs_refresh(self) -> bool:
        """Whether the keys are old, or were never had, and it is time to try again."""
        return (self._fetched_at_s is None or self._now_s() - self._fetched_at_s > MAX_AGE_S) and self._may_try()

    async def find(self, key_id: str, algorithm: str) -> RSAKey | ECKey | None:
        """Return the key of this id for this algorithm, or None when the issuer has none.

        Raises:
            ServiceError: UNAVAILABLE when no keys could be had at all.
        """
        wanted = (key_id, type_of_algorithm[algorithm])
        if self.needs_refresh or (wanted not in self._keys and self._may_try()):
            await self.refresh()
        if self._fetched_at_s is None:
            raise UNAVAILABLE()
        return self._keys.get(wanted)

    async def refresh(self) -> None:
        """Fetch the keys now; when that fails, keep those in hand and say so in the log."""
        before = self._tried_at_s
        async with self._lock:
            if self._tried_at_s != before:
                # Somebody else fetched while we waited.
                return
            self._tried_at_s = self._now_s()
            try:
                with self._calls.measure("keys"):
                    keys = await self._fetch()
            except (httpx.HTTPError, ValueError, JoseError) as error:
                log.warning("The issuer's keys could not be fetched", extra={"fields": {"error": type(error).__name__}})
                return
            if self._keys.keys() - keys.keys():
                self.generation += 1
            self._keys = keys
            self._fetched_at_s = self._now_s()

    def _now_s(self) -> float:
        return self._clock.now().timestamp()

    def _may_try(self) -> bool:
        return self._tried_at_s is None or self._now_s() - self._tried_at_s >= MIN_REFETCH_S

    async def _fetch(self) -> dict[tuple[str, str], RSAKey | ECKey]:
        if not self._url:
            document = await self._get_json(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
            if document.get("issuer") != self._issuer:
                raise ValueError("the discovery document belongs to another issuer")
            self._url = str(document["jwks_uri"])
        raw_keys = (await self._get_json(self._url)).get("keys")
        if not isinstance(raw_keys, list):
            raise ValueError("no key set")  # noqa: TRY004 - a malformed answer, not a programming error
        keys: dict[tuple[str, str], RSAKey | ECKey] = {}
        for raw in cast("list[dict[str, str]]", raw_keys)[:MAX_KEYS]:
            key_id, kind = raw.get("kid"), raw.get("kty")
            if not key_id or raw.get("use", "sig") != "sig":
                continue
            if kind == "RSA" and raw.get("alg", "RS256") == "RS256":
                keys[key_id, kind] = RSAKey.import_key(_public_part(raw))
            elif kind == "EC" and raw.get("crv") == "P-256":
                keys[key_id, kind] = ECKey.import_key(_public_part(raw))
        return keys

    async def _get_json(self, url: str) -> dict[str, object]:
        response = await self._http.get(url, timeout=FETCH_TIMEOUT_S)
        document: object = response.raise_for_status().json()
        if not isinstance(document, dict):
            raise ValueError("not a JSON object")  # noqa: TRY004 - a malformed answer, not a programming error
        return cast("dict[str, object]", document)


def _public_part(raw: dict[str, str]) -> dict[str, str | list[str]]:
    """Keep what a public key is made of; certificates and private members are of no use here."""
    return {name: raw[name] for name in ("kty", "kid", "n", "e", "crv", "x", "y") if name in raw}
