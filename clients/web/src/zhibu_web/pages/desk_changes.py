"""Changes of an organisation with its members: move, merge, split, dissolve; today or on a day to come."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from zhibu_kit.clock import today_in_shanghai

from zhibu_web.contract_branches import PHYSICAL
from zhibu_web.contract_desk import MemberPage
from zhibu_web.gateway_client import segment
from zhibu_web.names import names_of
from zhibu_web.pages.desk import BRANCH, COUNTY, TOWNSHIP, Desk, ForbiddenError, open_desk
from zhibu_web.pages.desk_acts import submit
from zhibu_web.pages.desk_organisations import CHANGE, effective_date, organisation_of
from zhibu_web.pages.desk_picker import find_organisations
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/organisations/change")

KINDS: Final = ("move", "merge", "split", "dissolve")
# A form has room for this many names; larger branches are split through the API.
MAX_MEMBERS: Final = 400
_FIELDS: Final = {
    "targetId": "target",
    "newName": "new_name",
    "memberIds": "member",
    "effectiveDate": "effective_date",
    "documentNumber": "document_number",
}


@router.get("/{kind}")
async def show_change(visit: MemberVisit, organisation_id: str, kind: str) -> HTMLResponse:
    """Ask what a change needs to know."""
    desk = await _changing_desk(visit, organisation_id, kind)
    return await _page(visit, desk, kind)


async def _page(visit: Visit, desk: Desk, kind: str, status: int = 200) -> HTMLResponse:
    levels: tuple[str, ...] = (desk.organisation.level,)
    if kind == "move":
        levels = (TOWNSHIP, COUNTY) if desk.is_branch else (COUNTY,)
    found = await find_organisations(visit, desk, "target", levels=levels, physical=not desk.organisation.virtual)
    return await visit.page(
        "desk_organisations/change.html",
        status=status,
        desk=desk,
        kind=kind,
        organisation=await organisation_of(desk),
        found=[one for one in found if one.organisation_id != desk.organisation.organisation_id],
        members=await _members(desk) if kind == "split" else [],
        chosen=set(visit.form_lists.get("member", [])),
        today=today_in_shanghai(visit.services.clock).isoformat(),
    )


@router.post("/{kind}")
async def change(visit: MemberVisit, organisation_id: str, kind: str) -> Response:
    """Make the change, or plan it."""
    desk = await _changing_desk(visit, organisation_id, kind)
    form = visit.form
    if form.value("find") == "yes":
        return await _page(visit, desk, kind)
    body: dict[str, object] = {
        "effectiveDate": effective_date(visit),
        "documentNumber": form.value("document_number")[:60],
    }
    if kind == "split":
        members = list(dict.fromkeys(visit.form_lists.get("member", [])))
        if not 2 <= len(form.value("new_name")) <= 120:
            form.refuse("new_name", visit.t("organisation_desk.name_bad"))
        if not members:
            form.refuse("member", visit.t("organisation_desk.members_missing"))
        body |= {"newName": form.value("new_name"), "memberIds": members}
    else:
        if kind != "dissolve" and not form.value("target"):
            form.refuse("target", visit.t("organisation_desk.target_missing"))
        body["targetId"] = form.value("target")
    if form.value("confirm") != "yes":
        form.refuse("confirm", visit.t("eid.revoke_confirm_missing"))
    path = f"/v1/organisations/{segment(organisation_id)}:{kind}"
    done = visit.t("organisation_desk.planned" if body["effectiveDate"] else f"organisation_desk.done_{kind}")
    if await submit(visit, desk.gateway, path, body=body, fields=_FIELDS, done=done):
        directory = visit.services.directory
        directory.tree_changed(organisation_id, desk.organisation.parent_id, form.value("target"))
        planned = "changes" if body["effectiveDate"] else "history"
        return visit.redirect(f"{desk.path}/organisations/{planned}")
    return await _page(visit, desk, kind, status=422)


async def _members(desk: Desk) -> list[tuple[str, str]]:
    """Return the members of the branch by name: identifier and name."""
    path = f"/v1/organisations/{segment(desk.organisation.organisation_id)}/members"
    ids: list[str] = []
    token = ""
    while len(ids) < MAX_MEMBERS:
        parameters = {"kind": PHYSICAL, "pageSize": 200, "pageToken": token}
        found = await desk.gateway.get(path, MemberPage, params=parameters)
        ids += [one.member_id for one in found.members]
        token = found.next_page_token
        if not token:
            break
    names = await names_of(desk.gateway, ids)
    return sorted(((one, names.get(one, one)) for one in ids[:MAX_MEMBERS]), key=lambda pair: pair[1])


async def _changing_desk(visit: Visit, organisation_id: str, kind: str) -> Desk:
    desk = await open_desk(visit, organisation_id, "organisations")
    desk.demand(CHANGE)
    level = desk.organisation.level
    if kind not in KINDS or level not in (TOWNSHIP, BRANCH):
        raise ForbiddenError
    if kind == "split" and (level != BRANCH or desk.organisation.virtual):
        raise ForbiddenError
    return desk
