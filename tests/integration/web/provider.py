"""An OpenID provider on loopback, as strict as Keycloak where the web client could be careless: PKCE, secret, one-use codes."""

import asyncio
import base64
import hashlib
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from joserfc import jwt
from joserfc.jwk import RSAKey
from zhibu_kit.testing.waiting import wait_until

CLIENT, SECRET = "zhibu-web", "the-secret-of-the-client"


@dataclass(slots=True)
class Provider:
    """What the provider knows, and what tests look into or change."""

    url: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))
    # Code → challenge and nonce, once.
    codes: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    refresh_tokens: set[str] = field(default_factory=set[str])
    refreshes: int = 0
    lifetime_s: int = 300
    changes: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def issuer(self) -> str:
        return f"{self.url}/realms/zhibu"

    def authorise(self, location: str) -> tuple[str, str]:
        """Act as the person at the log-in page: give state and code for the address that the browser was sent to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert len(asked["state"]) >= 32
        code = secrets.token_urlsafe(16)
        self.codes[code] = (asked["code_challenge"], asked["nonce"])
        return asked["state"], code

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.key)

    def logout_token(self, **changes: Any) -> str:
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": int(time.time()),
            "jti": secrets.token_hex(8),
            "sid": "login-1",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        }
        return self.sign({name: value for name, value in {**claims, **changes}.items() if value is not None})

    def tokens(self, nonce: str) -> dict[str, Any]:
        now = int(time.time())
        refresh_token = secrets.token_urlsafe(16)
        self.refresh_tokens.add(refresh_token)
        identity = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "account-1",
            "sid": "login-1",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "preferred_username": "3707242600001234",
            **self.changes,
        }
        return {
            "access_token": f"access-{secrets.token_hex(4)}",
            "expires_in": self.lifetime_s,
            "refresh_token": refresh_token,
            "id_token": self.sign(identity),
        }

    def exchange(self, form: dict[str, str]) -> dict[str, Any] | None:
        match form["grant_type"]:
            case "authorization_code":
                challenge, nonce = self.codes.pop(form["code"], ("", ""))
                digest = hashlib.sha256(form["code_verifier"].encode()).digest()
                if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != challenge:
                    return None
                return self.tokens(nonce)
            case "refresh_token":
                if form["refresh_token"] not in self.refresh_tokens:
                    return None
                # A refresh token is good once, as in Keycloak with revocation of refresh tokens.
                self.refresh_tokens.discard(form["refresh_token"])
                self.refreshes += 1
                self.lifetime_s = 300
                return self.tokens("")
            case _:
                return None


@asynccontextmanager
async def running_provider() -> AsyncGenerator[Provider]:
    provider = Provider()
    app = FastAPI()

    @app.get("/realms/zhibu/.well-known/openid-configuration")
    async def discover() -> dict[str, str]:
        base = provider.issuer
        return {
            "issuer": base,
            "authorization_endpoint": f"{base}/auth",
            "token_endpoint": f"{base}/token",
            "end_session_endpoint": f"{base}/logout",
            "jwks_uri": f"{base}/certs",
        }

    @app.get("/realms/zhibu/certs")
    async def certs() -> dict[str, Any]:
        return {"keys": [{**provider.key.as_dict(private=False), "alg": "RS256", "use": "sig"}]}

    @app.post("/realms/zhibu/token")
    async def token(request: Request) -> JSONResponse:
        expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.headers["authorization"] != expected:
            return JSONResponse({"error": "unauthorized_client"}, 401)
        form = {name: str(value) for name, value in (await request.form()).items()}
        answer = provider.exchange(form)
        return JSONResponse({"error": "invalid_grant"}, 400) if answer is None else JSONResponse(answer)

    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())
    await wait_until(lambda: server.started)
    provider.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield provider
    finally:
        server.should_exit = True
        await task
