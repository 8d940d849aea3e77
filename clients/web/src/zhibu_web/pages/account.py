"""The member's own page: e-ID, card, offices, and how to log in."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from zhibu_web.contract_certificates import WAITING, MyCertificates
from zhibu_web.pages.auth import ACTIONS, go_to_keycloak
from zhibu_web.pages.member_acts import found
from zhibu_web.visit import Me, MemberVisit, Visit

router = APIRouter(prefix="/me")

_CHUNK_BYTES: Final = 16_384


@router.get("")
async def show_me(visit: MemberVisit) -> HTMLResponse:
    """Show the member's own e-ID and offices."""
    gateway = await visit.gateway()
    me = await gateway.get("/v1/me", Me)
    await visit.remember_member(me)
    directory = visit.services.directory
    offices = {one.name: one.display_name for one in await directory.offices(gateway, visit.language)}
    settings = await directory.settings(gateway, me.eid.organisation_id) if me.eid.organisation_id else None
    # Only officers have key sticks.
    mine = await found(gateway.get("/v1/me/certificates", MyCertificates), MyCertificates()) if me.grants else None
    return await visit.page(
        "account/me.html",
        certificate_waits=mine is not None and any(one.state == WAITING for one in mine.certificates),
        eid=me.eid,
        branch=await directory.name(gateway, me.eid.branch_id),
        county=await directory.name(gateway, me.eid.organisation_id),
        offices=[
            (offices.get(one.office, one.office), await directory.name(gateway, one.organisation_id), one)
            for one in me.grants
        ],
        help_number=settings.help_telephone if settings else "",
        help_hours=settings.help_hours if settings else "",
    )


@router.get("/card.png")
async def show_card(visit: MemberVisit, download: str = "") -> Response:
    """Show the picture of the member's own card."""
    way = "attachment" if download == "1" else "inline"
    return await _card(visit, "/v1/me/card", media_type="image/png", disposition=f'{way}; filename="e-id-card.png"')


@router.get("/card.pdf")
async def download_card(visit: MemberVisit) -> Response:
    """Give the member's own card with its signed code, to be printed."""
    disposition = 'attachment; filename="e-id-card.pdf"'
    return await _card(visit, "/v1/me/card.pdf", media_type="application/pdf", disposition=disposition)


async def _card(visit: Visit, path: str, *, media_type: str, disposition: str) -> Response:
    """Pass a file on as it arrives."""
    gateway = await visit.gateway()
    async with AsyncExitStack() as stack:
        response = await stack.enter_async_context(gateway.download(path))
        held = stack.pop_all()

    async def chunks() -> AsyncGenerator[bytes]:
        async with held:
            async for chunk in response.aiter_bytes(_CHUNK_BYTES):
                yield chunk

    headers = {"Content-Disposition": disposition}
    return visit.with_cookies(StreamingResponse(chunks(), media_type=media_type, headers=headers))


@router.post("/security")
async def change_security(visit: MemberVisit) -> Response:
    """Send the member to Keycloak to change the password or to add a passkey."""
    action = visit.form.value("action")
    if action not in ACTIONS:
        return visit.redirect("/me")
    return await go_to_keycloak(visit, return_to="/me", action=action)
