"""Logs the operator's officer in from a terminal: the device authorisation grant (RFC 8628), with PKCE as the realm wants it."""

import base64
import hashlib
import secrets
import time
from collections.abc import Callable
from typing import Any, Final

import click
import httpx

from zhibuctl.errors import OperatorError
from zhibuctl.texts import both

CLIENT_ID: Final = "zhibu-cli"
_SCOPE: Final = "openid zhibu-api zhibu-write"
_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_TIMEOUT_S: Final = 20.0
# Somebody who asks too often is told to ask less often by this much (RFC 8628, section 3.5).
_SLOWER_BY_S: Final = 5.0
# Whoever takes a token may upload a large roster with it, which is checked at the end.
_EARLY_S: Final = 120.0


class OfficerSession:
    """An officer who is logged in; `token` is renewed while the session lasts."""

    def __init__(self, issuer: str, answer: dict[str, Any]) -> None:
        self._issuer = issuer
        self._keep(answer)

    def token(self) -> str:
        """Return an access token that is good for a while yet."""
        if time.monotonic() > self._renew_at_s:
            form = {"grant_type": "refresh_token", "refresh_token": self._refresh, "client_id": CLIENT_ID}
            response = _post(f"{self._issuer}/protocol/openid-connect/token", form)
            if not response.is_success:
                raise OperatorError("登录已过期，请重新运行。", "The log-in has expired; run the command again.")
            self._keep(response.json())
        return self._access

    def _keep(self, answer: dict[str, Any]) -> None:
        self._access = str(answer["access_token"])
        self._refresh = str(answer.get("refresh_token", ""))
        self._renew_at_s = time.monotonic() + float(answer.get("expires_in", 0)) - _EARLY_S


def _on_terminal(line: str) -> None:
    click.echo(line, err=True)


def log_in(issuer: str, *, show: Callable[[str], None] = _on_terminal) -> OfficerSession:
    """Show an address and a code, and wait until an officer has logged in there.

    Raises:
        OperatorError: nobody did in time, or the officer refused.
    """
    issuer = issuer.rstrip("/")
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    wish = {
        "client_id": CLIENT_ID,
        "scope": _SCOPE,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    started = _post(f"{issuer}/protocol/openid-connect/auth/device", wish)
    if not started.is_success:
        raise OperatorError(
            f"登录服务不接受设备登录（状态 {started.status_code}），请检查 --issuer。",
            f"Keycloak did not begin a log-in (status {started.status_code}); check --issuer.",
        )
    answer = started.json()
    show(
        both(
            f"请用浏览器打开 {answer['verification_uri_complete']} ，以本人电子身份证登录（代码 {answer['user_code']}）",
            "open this address in a browser and log in with your own e-ID",
        )
    )
    interval_s = float(answer.get("interval", _SLOWER_BY_S))
    until_s = time.monotonic() + float(answer["expires_in"])
    form = {
        "grant_type": _GRANT,
        "device_code": answer["device_code"],
        "client_id": CLIENT_ID,
        "code_verifier": verifier,
    }
    while time.monotonic() < until_s:
        time.sleep(interval_s)
        response = _post(f"{issuer}/protocol/openid-connect/token", form)
        if response.is_success:
            return OfficerSession(issuer, response.json())
        match _error_of(response):
            case "authorization_pending":
                continue
            case "slow_down":
                interval_s += _SLOWER_BY_S
            case "access_denied":
                raise OperatorError("登录被拒绝。", "The log-in was refused.")
            case "expired_token":
                break
            case other:
                raise OperatorError(f"登录没有成功：{other}。", f"The log-in failed: {other}.")
    raise OperatorError("没有人按时登录，请重新运行。", "Nobody logged in in time; run the command again.")


def _error_of(response: httpx.Response) -> str:
    """Return the code of RFC 6749, section 5.2, or the status when something else answered."""
    try:
        return str(response.json().get("error", response.status_code))
    except ValueError:
        return str(response.status_code)


def _post(url: str, form: dict[str, str]) -> httpx.Response:
    try:
        return httpx.post(url, data=form, timeout=_TIMEOUT_S, trust_env=False)
    except httpx.TransportError:
        raise OperatorError("连不上登录服务。", "Keycloak cannot be reached.") from None
