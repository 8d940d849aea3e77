"""A token issuer for tests: own keys, a real HTTP server for discovery, keys and service tokens, and forgeries."""

from __future__ import annotations

import base64
import hmac
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Self
from urllib.parse import parse_qs

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey, KeyParameters, RSAKey

from zhibu_kit.clock import Clock, SystemClock

AUDIENCE: Final = "zhibu-api"
TOKEN_LIFETIME_S: Final = 300


class TokenIssuer:
    """Issues tokens like the realm's: `with TokenIssuer() as issuer: issuer.token("account", member_id="m")`.

    The HTTP server answers /.well-known/openid-configuration, /jwks and /token (client credentials: any client
    `svc-<service>` with any secret). `silent` makes it answer 503. `key_requests` counts how often keys were asked for.
    """

    def __init__(self, *, clock: Clock | None = None) -> None:
        """Make the first key and the server, which is not answering yet."""
        self._clock = clock or SystemClock()
        self._serial = 0
        self.silent = False
        self.key_requests = 0
        self.token_requests = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}/realms/zhibu"
        self.keys: list[RSAKey | ECKey] = [self._new_key()]

    def __enter__(self) -> Self:
        """Start answering."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="token-issuer", daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

    @property
    def settings(self) -> dict[str, str]:
        """Return what a service's settings need, as keyword arguments of ServiceSettings."""
        return {
            "oidc_issuer": self.issuer,
            "oidc_client_id": "svc-testing",
            "oidc_client_secret": "secret",
        }

    def rotate(self, *, keep_old: bool = False, kind: str = "RSA") -> None:
        """Sign with a new key from now on; the old ones vanish from the key set unless kept."""
        self.keys = [self._new_key(kind), *(self.keys if keep_old else [])]

    def token(
        self,
        account_id: str,
        *,
        member_id: str | None = None,
        county_code: str | None = None,
        service: str | None = None,
        **overrides: object,
    ) -> str:
        """Return a signed access token; `overrides` replace claims, and None takes one away."""
        claims = self.claims(account_id, member_id=member_id, county_code=county_code, service=service, **overrides)
        return self.sign(claims)

    def claims(
        self,
        account_id: str,
        *,
        member_id: str | None = None,
        county_code: str | None = None,
        service: str | None = None,
        **overrides: object,
    ) -> dict[str, object]:
        """Return the claims that `token` signs."""
        now_s = int(self._clock.now().timestamp())
        claims: dict[str, object] = {
            "iss": self.issuer,
            "sub": account_id,
            "aud": [AUDIENCE],
            "azp": f"svc-{service}" if service else "zhibu-web",
            "typ": "Bearer",
            "iat": now_s,
            "exp": now_s + TOKEN_LIFETIME_S,
            "auth_time": None if service else now_s,
            "scope": "openid zhibu-api zhibu-write",
            "member_id": member_id,
            "county_code": county_code,
            "service": service,
        }
        claims.update(overrides)
        return {name: value for name, value in claims.items() if value is not None}

    def sign(self, claims: Mapping[str, object], *, key: RSAKey | ECKey | None = None, key_id: str = "") -> str:
        """Sign claims with the present key, or with another one, under the present key's name or another."""
        signer = key or self.keys[0]
        algorithm = "ES256" if isinstance(signer, ECKey) else "RS256"
        header = {"alg": algorithm, "typ": "JWT", "kid": key_id or str(self.keys[0].kid)}
        return jwt.encode(header, dict(claims), signer)

    def unsigned(self, claims: Mapping[str, object], *, algorithm: str = "none") -> str:
        """Return a forgery: the claims with `alg: none` and no signature."""
        header = {"alg": algorithm, "typ": "JWT", "kid": str(self.keys[0].kid)}
        return f"{_part(header)}.{_part(claims)}."

    def signed_with_public_key(self, claims: Mapping[str, object]) -> str:
        """Return a forgery: HS256 with the public key, which everybody has, as the secret."""
        header = {"alg": "HS256", "typ": "JWT", "kid": str(self.keys[0].kid)}
        signed = f"{_part(header)}.{_part(claims)}"
        mac = hmac.digest(self.keys[0].as_pem(private=False), signed.encode(), "sha256")
        return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    def key_set(self) -> dict[str, object]:
        """Return the public keys, among one for encryption, as Keycloak publishes them."""
        keys: list[dict[str, object]] = []
        for key in self.keys:
            algorithm = "ES256" if isinstance(key, ECKey) else "RS256"
            keys.append({**key.as_dict(private=False), "use": "sig", "alg": algorithm})
        encryption = {**self.keys[-1].as_dict(private=False), "use": "enc", "kid": "for-encryption", "alg": "RSA-OAEP"}
        return {"keys": [*keys, encryption]}

    def _new_key(self, kind: str = "RSA") -> RSAKey | ECKey:
        self._serial += 1
        parameters: KeyParameters = {"kid": f"key-{self._serial}"}
        if kind == "EC":
            return ECKey.generate_key("P-256", parameters)
        return RSAKey.generate_key(2048, parameters)


def _handler_for(issuer: TokenIssuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith("/.well-known/openid-configuration"):
                self._answer(
                    {
                        "issuer": issuer.issuer,
                        "jwks_uri": f"{issuer.issuer}/jwks",
                        "token_endpoint": f"{issuer.issuer}/token",
                    }
                )
            elif self.path.endswith("/jwks"):
                issuer.key_requests += 1
                self._answer(issuer.key_set())
            else:
                self.send_error(HTTPStatus.NOT_FOUND)

        def do_POST(self) -> None:
            issuer.token_requests += 1
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            client_id = form.get("client_id", [""])[0]
            basic = self.headers.get("Authorization", "")
            if basic.startswith("Basic "):
                client_id = base64.b64decode(basic.removeprefix("Basic ")).decode().partition(":")[0]
            service = client_id.removeprefix("svc-")
            token = issuer.token(f"account-of-{client_id}", service=service)
            self._answer({"access_token": token, "expires_in": TOKEN_LIFETIME_S, "token_type": "Bearer"})

        def _answer(self, document: Mapping[str, object]) -> None:
            if issuer.silent:
                self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
                return
            body = orjson.dumps(document)
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
            """Say nothing: requests are counted, not logged."""

    return Handler


def _part(value: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(dict(value))).rstrip(b"=").decode()
