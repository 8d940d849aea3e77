"""The page on which anybody checks the card of an e-ID, and the small worker that keeps it for places without a network."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse, Response

from zhibu_web.contract import Message
from zhibu_web.gateway_client import GatewayUnreachableError, ProblemError
from zhibu_web.rendering import STATIC
from zhibu_web.texts import EN, ZH
from zhibu_web.visit import Visitor

router = APIRouter(prefix="/cards/check")

REASONS: Final = ("MALFORMED", "KEY_UNKNOWN", "SIGNATURE_WRONG", "NOT_YET_VALID", "EXPIRED", "REVOKED")
# Ten thousand digests each; beyond that a browser is not the place to keep them.
MOST_PAGES: Final = 20
# Modules name each other without the hash of their address.
MODULES: Final = ("card-check.js", "card-code.js", "vendor/noble-ed25519.js", "vendor/qr-decode.js")
HASHED: Final = ("vendor/govuk-frontend.css", "zhibu.css", "zhibu.js", "vendor/htmx.js", "icon.svg")
# The page itself may use the camera; no other page may.
_PAGE_HEADERS: Final = {
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
}


class CardKey(Message):
    """A public key, passed on as it is."""

    key_id: str = ""
    algorithm: str = ""
    public_key: str = ""
    not_before_time: str = ""
    not_after_time: str = ""


class CardKeys(Message):
    """The public keys of cards."""

    keys: tuple[CardKey, ...] = ()


class RevokedCards(Message):
    """Digests of revoked cards."""

    revoked_card_digests: tuple[str, ...] = ()
    as_of_time: str = ""
    next_since_time: str = ""


@router.get("")
async def show_check(visit: Visitor, language: str = "") -> HTMLResponse:
    """Show the page; with `language` in that one, as the worker keeps both."""
    if language in (ZH, EN):
        visit.language = language
    words = {
        "language": visit.language,
        "reasons": {reason: visit.t(f"card_check.reason.{reason}") for reason in REASONS},
        **{
            name: visit.t(f"card_check.{key}")
            for name, key in (
                ("good", "good"),
                ("name", "name"),
                ("county", "county"),
                ("number", "number"),
                ("issued", "issued"),
                ("expires", "expires"),
                ("compare", "compare"),
                ("empty", "empty"),
                ("noKeys", "no_keys"),
                ("noCode", "no_code"),
                ("noCamera", "no_camera"),
            )
        },
        "asOf": visit.t("card_check.as_of", time="{time}"),
    }
    page = await visit.page("cards/check.html", words=json.dumps(words, ensure_ascii=False))
    page.headers.update(_PAGE_HEADERS)
    return page


@router.get("/keys.json")
async def show_keys(visit: Visitor) -> JSONResponse:
    """Pass on public keys and revoked cards; the page's worker keeps the answer."""
    gateway = visit.public
    try:
        keys = await gateway.get("/v1/card-keys", CardKeys)
        digests: list[str] = []
        since = as_of = ""
        for _ in range(MOST_PAGES):
            page = await gateway.get("/v1/card-revocations", RevokedCards, params={"sinceTime": since})
            digests += page.revoked_card_digests
            since, as_of = page.next_since_time, page.as_of_time
            if not since:
                break
    except (ProblemError, GatewayUnreachableError):
        return JSONResponse({}, status_code=503)
    return JSONResponse(
        {**keys.model_dump(by_alias=True), "revokedCardDigests": list(dict.fromkeys(digests)), "asOfTime": as_of}
    )


@router.get("/worker.js")
async def show_worker(visit: Visitor) -> Response:
    """Give the worker, with the names of the files that it keeps and their version."""
    static = visit.services.renderer.static
    files = [f"/static/{name}" for name in MODULES] + [static(name) for name in HASHED]
    program = (STATIC / "card-worker.js").read_text(encoding="utf-8")
    version = hashlib.sha256("\0".join([*files, *map(static, MODULES), program]).encode()).hexdigest()[:16]
    pages = [f"/cards/check?language={ZH}", f"/cards/check?language={EN}"]
    head = f"const VERSION = {json.dumps(version)}, FILES = {json.dumps(files)}, PAGES = {json.dumps(pages)};\n"
    return Response(
        head + program,
        media_type="text/javascript",
        headers={"Service-Worker-Allowed": "/cards/check", "Cache-Control": "no-cache"},
    )
