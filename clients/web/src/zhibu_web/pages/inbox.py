"""The member's inbox: notices, read and unread, and which ones are wanted."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract_inbox import NOTICE_KINDS, InboxPage, NoticePreferences
from zhibu_web.gateway_client import ProblemError
from zhibu_web.pages.member_acts import Nothing, refusal
from zhibu_web.session import Flash
from zhibu_web.visit import MemberVisit, Visit, local_path

router = APIRouter(prefix="/inbox")

PAGE_SIZE: Final = 30
_PREFERENCES: Final = "/v1/me/notice-preferences"


@router.get("")
async def show_inbox(visit: MemberVisit, view: str = "all", kind: str = "", page: str = "") -> HTMLResponse:
    """Show the notices, newest first."""
    view = view if view in ("all", "unread") else "all"
    kind = kind if f"NOTICE_KIND_{kind.upper()}" in NOTICE_KINDS else ""
    gateway = await visit.gateway()
    found = await gateway.get(
        "/v1/me/inbox",
        InboxPage,
        params={
            "unreadOnly": "true" if view == "unread" else "",
            "kind": f"NOTICE_KIND_{kind.upper()}" if kind else "",
            "pageSize": PAGE_SIZE,
            "pageToken": page,
        },
    )
    await visit.remember_unread(found.unread_count)
    return await visit.page(
        "inbox/inbox.html",
        view=view,
        kind=kind,
        kinds=[one.removeprefix("NOTICE_KIND_").lower() for one in NOTICE_KINDS],
        items=found.items,
        unread_count=found.unread_count,
        next_page=found.next_page_token,
        page_token=page,
    )


@router.post("/{inbox_item_id}/open")
async def open_item(visit: MemberVisit, inbox_item_id: str) -> Response:
    """Mark a notice as read and go to the page that it is about."""
    await _mark_read(visit, [inbox_item_id])
    target = local_path(visit.form.value("link"))
    return visit.redirect(target if target != "/" else "/inbox")


@router.post("/read")
async def mark_all_read(visit: MemberVisit) -> Response:
    """Mark every notice as read."""
    await _mark_read(visit, [])
    await visit.flash(Flash(kind="success", text=visit.t("inbox.all_read")))
    return visit.redirect("/inbox")


async def _mark_read(visit: Visit, inbox_item_ids: list[str]) -> None:
    gateway = await visit.gateway()
    left = await gateway.post(
        "/v1/me/inbox:markRead",
        InboxPage,
        body={"inboxItemIds": inbox_item_ids},
        request_id=visit.form.value("request_id"),
    )
    await visit.remember_unread(left.unread_count)


@router.get("/preferences")
async def show_preferences(visit: MemberVisit) -> HTMLResponse:
    """Show which notices the member wants, and how."""
    return await _preferences_page(visit)


@router.post("/preferences")
async def save_preferences(visit: MemberVisit) -> Response:
    """Keep which notices the member wants."""
    gateway = await visit.gateway()
    kinds = [one for one in visit.form_lists.get("kind", []) if one in NOTICE_KINDS]
    preferences = [
        {
            "kind": kind,
            "inInbox": visit.form.value(f"inbox_{kind}") == "yes",
            "bySms": visit.form.value(f"sms_{kind}") == "yes",
        }
        for kind in kinds
    ]
    try:
        await gateway.put(
            _PREFERENCES,
            Nothing,
            body={"preferences": preferences},
            request_id=visit.form.value("request_id"),
            etag=visit.form.value("etag"),
        )
    except ProblemError as problem:
        words = visit.t("inbox.preferences_changed") if problem.status == 412 else refusal(visit, problem)
        visit.form.refuse("", words)
        return await _preferences_page(visit, status=422)
    await visit.flash(Flash(kind="success", text=visit.t("inbox.preferences_saved")))
    return visit.redirect("/inbox/preferences")


async def _preferences_page(visit: Visit, status: int = 200) -> HTMLResponse:
    gateway = await visit.gateway()
    found, etag = await gateway.get_with_etag(_PREFERENCES, NoticePreferences, "")
    return await visit.page("inbox/preferences.html", status=status, preferences=found.preferences, etag=etag)
