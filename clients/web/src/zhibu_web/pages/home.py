"""The home page, and the choice of language and size of type."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.texts import EN, ZH
from zhibu_web.visit import Visitor, local_path

router = APIRouter()

_PREFERENCES: Final = {
    "type:large": ("type", "large"),
    "type:normal": ("type", "normal"),
    f"language:{EN}": ("language", EN),
    f"language:{ZH}": ("language", ZH),
}


@router.get("/")
async def show_home(visit: Visitor) -> HTMLResponse:
    """Show what this is and where to go."""
    return await visit.page("home/home.html")


@router.post("/preferences")
async def set_preference(visit: Visitor) -> Response:
    """Remember a choice for a year and go back to where it was made."""
    choice = _PREFERENCES.get(visit.form.value("set"))
    if choice:
        visit.set_preference(*choice)
    return visit.redirect(local_path(visit.form.value("return_to") or "/"))
