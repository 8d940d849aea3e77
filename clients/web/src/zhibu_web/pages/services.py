"""What a member can do here, in plain words."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from zhibu_web.visit import MemberVisit

router = APIRouter(prefix="/services")


@router.get("")
async def show_services(visit: MemberVisit) -> HTMLResponse:
    """Show everything that members do by themselves."""
    return await visit.page("services/services.html")
