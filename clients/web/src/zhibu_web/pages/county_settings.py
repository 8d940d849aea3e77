"""The switches of a county."""

from __future__ import annotations

import re
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract import CountySettings
from zhibu_web.gateway_client import ProblemError, segment
from zhibu_web.pages.desk import Desk, open_desk
from zhibu_web.session import Flash
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/settings")

_TELEPHONE: Final = re.compile(r"^[0-9 +-]{0,30}$", re.ASCII)
_FIELDS: Final = {"helpTelephone": "help_telephone", "helpHours": "help_hours"}


@router.get("")
async def show_settings(visit: MemberVisit, organisation_id: str) -> HTMLResponse:
    """Show the switches as they stand."""
    desk = await open_desk(visit, organisation_id, "settings")
    settings, etag = await desk.gateway.get_with_etag(_path(desk), CountySettings, "settings")
    return await _page(visit, desk, settings, etag)


@router.post("")
async def save_settings(visit: MemberVisit, organisation_id: str) -> Response:
    """Keep the switches, unless somebody else has changed them meanwhile."""
    desk = await open_desk(visit, organisation_id, "settings")
    form = visit.form
    entered = CountySettings(
        organisation_id=organisation_id,
        applications_open=form.value("applications_open") == "yes",
        activation_by_telephone=form.value("activation_by_telephone") == "yes",
        help_telephone=form.value("help_telephone"),
        help_hours=form.value("help_hours")[:100],
    )
    etag = form.value("etag")
    if not _TELEPHONE.match(entered.help_telephone):
        form.refuse("help_telephone", visit.t("settings.help_telephone_bad"))
        return await _page(visit, desk, entered, etag, status=422)
    try:
        await desk.gateway.put(
            _path(desk),
            CountySettings,
            body={"settings": entered.model_dump(by_alias=True)},
            request_id=form.value("request_id"),
            etag=etag,
        )
    except ProblemError as problem:
        if problem.status >= 500 or problem.status in (401, 403, 404, 429):
            raise
        if problem.status == 412:
            form.refuse("", visit.t("settings.conflict"))
            entered, etag = await desk.gateway.get_with_etag(_path(desk), CountySettings, "settings")
        else:
            form.refuse_problem(problem, _FIELDS, visit.t("error.refused_title"))
        return await _page(visit, desk, entered, etag, status=422)
    visit.services.directory.settings_changed(organisation_id)
    await visit.flash(Flash(kind="success", text=visit.t("settings.saved")))
    return visit.redirect(f"{desk.path}/settings")


async def _page(visit: Visit, desk: Desk, settings: CountySettings, etag: str, status: int = 200) -> HTMLResponse:
    return await visit.page("settings/settings.html", status=status, desk=desk, settings=settings, etag=etag)


def _path(desk: Desk) -> str:
    return f"/v1/organisations/{segment(desk.organisation.organisation_id)}/settings"
