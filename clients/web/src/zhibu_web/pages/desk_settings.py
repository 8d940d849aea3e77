"""A county's parameters: kinds of virtual branches, rights by membership, the survey, notices by SMS."""

from __future__ import annotations

import re
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract_branches import FoundingKind
from zhibu_web.contract_desk import FoundingKinds, MembershipRights, NoticeSettings, SurveyParameters
from zhibu_web.contract_inbox import NOTICE_KINDS
from zhibu_web.gateway_client import segment
from zhibu_web.pages.desk import Desk, open_desk
from zhibu_web.pages.desk_acts import submit
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/settings")

BRANCHES: Final = "branches.county.configure"
NOTICES: Final = "notify.notices.configure"
MAX_KINDS: Final = 50
NEW_KINDS: Final = 2
_KIND: Final = re.compile(r"^[a-z][a-z_]{2,40}$", re.ASCII)


@router.get("/kinds")
async def show_kinds(visit: MemberVisit, organisation_id: str) -> HTMLResponse:
    """Show the kinds of virtual branches."""
    desk = await _desk(visit, organisation_id, BRANCHES)
    return await _kinds_page(visit, desk)


async def _kinds_page(visit: Visit, desk: Desk, status: int = 200) -> HTMLResponse:
    found = await desk.gateway.get(f"{_path(desk)}/founding-kinds", FoundingKinds)
    rows = [*found.kinds, *([FoundingKind(active=True)] * min(NEW_KINDS, MAX_KINDS - len(found.kinds)))]
    return await visit.page(
        "settings/kinds.html", status=status, desk=desk, rows=rows, known=len(found.kinds), etag=found.etag
    )


@router.post("/kinds")
async def save_kinds(visit: MemberVisit, organisation_id: str) -> Response:
    """Keep the kinds; an empty new row is none."""
    desk = await _desk(visit, organisation_id, BRANCHES)
    form = visit.form
    kinds: list[dict[str, object]] = []
    for index in range(MAX_KINDS):
        kind, zh = form.value(f"kind-{index}"), form.value(f"zh-{index}")
        if not kind and not zh:
            continue
        if not _KIND.match(kind):
            form.refuse(f"kind-{index}", visit.t("settings.kind_bad"))
        if not 1 <= len(zh) <= 40:
            form.refuse(f"zh-{index}", visit.t("settings.kind_name_missing"))
        kinds.append(
            {
                "kind": kind,
                "displayNameZh": zh,
                "displayNameEn": form.value(f"en-{index}")[:60],
                "active": form.value(f"active-{index}") == "yes",
            }
        )
    return await _save(visit, desk, "founding-kinds", {"kinds": kinds}, "kinds") or await _kinds_page(
        visit, desk, status=422
    )


@router.get("/rights")
async def show_rights(visit: MemberVisit, organisation_id: str) -> HTMLResponse:
    """Show which kind of membership entitles to what."""
    desk = await _desk(visit, organisation_id, BRANCHES)
    return await _rights_page(visit, desk)


async def _rights_page(visit: Visit, desk: Desk, status: int = 200) -> HTMLResponse:
    found = await desk.gateway.get(f"{_path(desk)}/membership-rights", MembershipRights)
    return await visit.page("settings/rights.html", status=status, desk=desk, rights=found.rights, etag=found.etag)


@router.post("/rights")
async def save_rights(visit: MemberVisit, organisation_id: str) -> Response:
    """Keep the rights; acts are data of the services and stay."""
    desk = await _desk(visit, organisation_id, BRANCHES)
    form = visit.form
    found = await desk.gateway.get(f"{_path(desk)}/membership-rights", MembershipRights)
    rights = [
        {
            "act": one.act,
            "byPhysical": form.value(f"physical-{one.act}") == "yes",
            "byVirtual": form.value(f"virtual-{one.act}") == "yes",
            "fullMembersOnly": form.value(f"full-{one.act}") == "yes",
            "article": form.value(f"article-{one.act}")[:200],
        }
        for one in found.rights
    ]
    return await _save(visit, desk, "membership-rights", {"rights": rights}, "rights") or await _rights_page(
        visit, desk, status=422
    )


@router.get("/survey")
async def show_survey(visit: MemberVisit, organisation_id: str) -> HTMLResponse:
    """Show from which rate a branch may go online."""
    desk = await _desk(visit, organisation_id, BRANCHES)
    return await _survey_page(visit, desk)


async def _survey_page(visit: Visit, desk: Desk, status: int = 200) -> HTMLResponse:
    path = f"{_path(desk)}/survey-parameters"
    parameters, etag = await desk.gateway.get_with_etag(path, SurveyParameters, "parameters")
    return await visit.page("settings/survey.html", status=status, desk=desk, parameters=parameters, etag=etag)


@router.post("/survey")
async def save_survey(visit: MemberVisit, organisation_id: str) -> Response:
    """Keep threshold and hysteresis."""
    desk = await _desk(visit, organisation_id, BRANCHES)
    threshold = _number(visit, "threshold", least=1, most=100)
    hysteresis = _number(visit, "hysteresis", least=0, most=50)
    body: dict[str, object] = {
        "parameters": {"thresholdPermille": threshold * 10, "hysteresisPermille": hysteresis * 10}
    }
    return await _save(visit, desk, "survey-parameters", body, "survey") or await _survey_page(visit, desk, status=422)


@router.get("/notices")
async def show_notices(visit: MemberVisit, organisation_id: str) -> HTMLResponse:
    """Show which notices go out by SMS, and when they rest."""
    desk = await _desk(visit, organisation_id, NOTICES)
    return await _notices_page(visit, desk)


async def _notices_page(visit: Visit, desk: Desk, status: int = 200) -> HTMLResponse:
    settings, etag = await desk.gateway.get_with_etag(f"{_path(desk)}/notice-settings", NoticeSettings, "settings")
    return await visit.page(
        "settings/notices.html", status=status, desk=desk, settings=settings, etag=etag, kinds=NOTICE_KINDS
    )


@router.post("/notices")
async def save_notices(visit: MemberVisit, organisation_id: str) -> Response:
    """Keep kinds and hours."""
    desk = await _desk(visit, organisation_id, NOTICES)
    chosen = [one for one in visit.form_lists.get("sms_kind", []) if one in NOTICE_KINDS]
    body: dict[str, object] = {
        "settings": {
            "smsKinds": chosen,
            "quietFromHour": _number(visit, "quiet_from", least=0, most=23),
            "quietUntilHour": _number(visit, "quiet_until", least=0, most=23),
        }
    }
    return await _save(visit, desk, "notice-settings", body, "notices") or await _notices_page(visit, desk, status=422)


async def _save(visit: Visit, desk: Desk, name: str, body: dict[str, object], page: str) -> Response | None:
    """Replace a set of parameters; None when it was refused."""
    path, done = f"{_path(desk)}/{name}", visit.t("settings.saved")
    if await submit(visit, desk.gateway, path, body=body, fields={}, done=done, put=True):
        return visit.redirect(f"{desk.path}/settings/{page}")
    return None


def _number(visit: Visit, name: str, *, least: int, most: int) -> int:
    entered = visit.form.value(name)
    if not (entered.isdecimal() and len(entered) <= len(str(most)) and least <= int(entered) <= most):
        visit.form.refuse(name, visit.t("settings.number_bad", least=least, most=most))
        return least
    return int(entered)


async def _desk(visit: Visit, organisation_id: str, permission: str) -> Desk:
    desk = await open_desk(visit, organisation_id, "settings")
    desk.demand(permission)
    return desk


def _path(desk: Desk) -> str:
    return f"/v1/organisations/{segment(desk.organisation.organisation_id)}"
