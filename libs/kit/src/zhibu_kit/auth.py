"""Who is behind a token: signature, issuer, audience and times are checked here, and nowhere else.

Signed tokens are JWTs (RFC 7519, RFC 8725): two algorithms are allowed, the key must be of the algorithm's type, and the
type of token must be an access token's.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast

import orjson
from joserfc import jws
from joserfc.errors import JoseError

from zhibu_kit.clock import Clock
from zhibu_kit.errors import UNAUTHENTICATED
from zhibu_kit.jwks import KeySource, type_of_algorithm
from zhibu_kit.principal import Principal

# Clocks of issuer and service may differ by this much.
LEEWAY_S: Final = 10
# Keycloak's tokens have 1 to 2 KB; gRPC itself takes no more than 8 KB of metadata.
MAX_TOKEN_LENGTH: Final = 6144
# Tokens that were verified and have not expired, by digest: about 1 KB each.
MAX_CACHED: Final = 10_000
# Tokens live for minutes; one that would outlive the deny-list's memory of revocations is not accepted.
MAX_LIFETIME_S: Final = 3600

_REGISTRY: Final = jws.JWSRegistry(algorithms=list(type_of_algorithm))


@dataclass(frozen=True, slots=True)
class _Verified:
    principal: Principal
    expires_at_s: float
    generation: int


class TokenVerifier:
    """Turns a token into a principal, or refuses it. What was verified is remembered until it expires."""

    def __init__(self, keys: KeySource, *, issuer: str, audience: str, clock: Clock) -> None:
        """Accept tokens which `issuer` made for `audience`."""
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._cache: OrderedDict[bytes, _Verified] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        """Return the principal behind a token; whether it was revoked since is the deny-list's matter.

        Raises:
            ServiceError: UNAUTHENTICATED when the token is not good, UNAVAILABLE when there are no keys to check it with.
        """
        if len(token) > MAX_TOKEN_LENGTH:
            raise UNAUTHENTICATED()
        digest = hashlib.sha256(token.encode()).digest()
        if self._keys.needs_refresh:
            await self._keys.refresh()
        verified = self._cache.get(digest)
        if verified is None or verified.generation != self._keys.generation:
            claims = await self._claims_of(token)
            principal = self._principal_of(claims)
            verified = _Verified(principal, principal.expires_at.timestamp() + LEEWAY_S, self._keys.generation)
            self._remember(digest, verified)
        if self._clock.now().timestamp() >= verified.expires_at_s:
            self._cache.pop(digest, None)
            raise UNAUTHENTICATED()
        return verified.principal

    def _remember(self, digest: bytes, verified: _Verified) -> None:
        self._cache[digest] = verified
        self._cache.move_to_end(digest)
        if len(self._cache) > MAX_CACHED:
            self._cache.popitem(last=False)

    async def _claims_of(self, token: str) -> dict[str, object]:
        header = _json_part(token.partition(".")[0])
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm not in type_of_algorithm or not isinstance(algorithm, str) or not isinstance(key_id, str):
            raise UNAUTHENTICATED()
        key = await self._keys.find(key_id, algorithm)
        if key is None:
            raise UNAUTHENTICATED()
        try:
            signed = jws.deserialize_compact(token.encode("ascii"), key, registry=_REGISTRY)
            claims: object = orjson.loads(signed.payload)
        except (JoseError, ValueError):
            raise UNAUTHENTICATED() from None
        if not isinstance(claims, dict):
            raise UNAUTHENTICATED()
        return cast("dict[str, object]", claims)

    def _principal_of(self, claims: dict[str, object]) -> Principal:
        audience = claims.get("aud")
        audiences = cast("list[object]", audience) if isinstance(audience, list) else [audience]
        if claims.get("iss") != self._issuer or self._audience not in audiences:
            raise UNAUTHENTICATED()
        # Keycloak writes into `typ` what a token is for: an identity or log-out token is no access token.
        if claims.get("typ", "Bearer") != "Bearer":
            raise UNAUTHENTICATED()
        issued_at_s, expires_at_s = _instant(claims, "iat"), _instant(claims, "exp")
        now_s = self._clock.now().timestamp()
        not_before_s = _instant(claims, "nbf") if "nbf" in claims else issued_at_s
        if max(issued_at_s, not_before_s) > now_s + LEEWAY_S or expires_at_s <= now_s - LEEWAY_S:
            raise UNAUTHENTICATED()
        if expires_at_s - issued_at_s > MAX_LIFETIME_S:
            raise UNAUTHENTICATED()
        client_id, service = _text(claims, "azp"), _optional_text(claims, "service")
        if service is not None and client_id != f"svc-{service}":
            # Only a service's own client may speak for it, whatever a mapper was made to say.
            raise UNAUTHENTICATED()
        return Principal(
            account_id=_text(claims, "sub"),
            client_id=client_id,
            issued_at=datetime.fromtimestamp(issued_at_s, UTC),
            expires_at=datetime.fromtimestamp(expires_at_s, UTC),
            member_id=_optional_text(claims, "member_id"),
            county_code=_optional_text(claims, "county_code"),
            service=service,
            scopes=frozenset((_optional_text(claims, "scope") or "").split()),
            authenticated_at=(
                datetime.fromtimestamp(_instant(claims, "auth_time"), UTC) if claims.get("auth_time") else None
            ),
        )


def _json_part(part: str) -> dict[str, object]:
    try:
        value: object = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error):
        raise UNAUTHENTICATED() from None
    if not isinstance(value, dict):
        raise UNAUTHENTICATED()
    return cast("dict[str, object]", value)


def _instant(claims: dict[str, object], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1 << 40:
        raise UNAUTHENTICATED()
    return float(value)


def _text(claims: dict[str, object], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise UNAUTHENTICATED()
    return value


def _optional_text(claims: dict[str, object], name: str) -> str | None:
    return _text(claims, name) if claims.get(name) not in (None, "") else None
