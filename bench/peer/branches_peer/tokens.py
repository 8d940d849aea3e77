"""Tokens of the realm: RS256, issuer, audience and expiry; one that was found good is remembered until it expires."""

import os
import time
from dataclasses import dataclass

import jwt
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

_MOST_REMEMBERED = 10_000
_keys = jwt.PyJWKClient(os.environ["PEER_JWKS_URL"], cache_keys=True)
_remembered: dict[str, "Caller"] = {}
# Accounts whose tokens are refused; nobody is on it during a measurement, but it is looked at.
_revoked: set[str] = set()


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever calls."""

    account_id: str
    member_id: str
    expires_at_s: int
    is_authenticated: bool = True


class TokenAuthentication(BaseAuthentication):
    """Reads the bearer token."""

    def authenticate(self, request):
        """Give the caller, or refuse."""
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        caller = _remembered.get(token)
        if caller is None or caller.expires_at_s <= time.time():
            caller = _verify(token)
            if len(_remembered) >= _MOST_REMEMBERED:
                _remembered.clear()
            _remembered[token] = caller
        if caller.account_id in _revoked:
            raise AuthenticationFailed
        return caller, token

    def authenticate_header(self, request) -> str:
        """Make a missing token a 401."""
        return "Bearer"


def _verify(token: str) -> Caller:
    try:
        claims = jwt.decode(
            token,
            _keys.get_signing_key_from_jwt(token).key,
            algorithms=["RS256"],
            audience="zhibu-api",
            issuer=os.environ["PEER_ISSUER"],
        )
    except jwt.PyJWTError as error:
        raise AuthenticationFailed from error
    return Caller(account_id=claims["sub"], member_id=claims["member_id"], expires_at_s=claims["exp"])
