"""Help, privacy notice and the guide to the first log-in: pages that need nothing but themselves."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from zhibu_web.pages.apply import CONSENT_VERSION
from zhibu_web.visit import Visitor

router = APIRouter()


@router.get("/help")
async def show_help(visit: Visitor) -> HTMLResponse:
    """Show where help is had."""
    return await visit.page("help/help.html")


@router.get("/privacy")
async def show_privacy(visit: Visitor) -> HTMLResponse:
    """Show the privacy notice that applicants agree to."""
    return await visit.page("help/privacy.html", version=CONSENT_VERSION)


@router.get("/first-login")
async def show_first_login(visit: Visitor) -> HTMLResponse:
    """Show how an e-ID is activated."""
    return await visit.page("help/first_login.html")
