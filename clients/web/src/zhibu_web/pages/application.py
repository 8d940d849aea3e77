"""One application at the clerk's desk: look, claim, approve, refuse, ask, undo."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract import APPROVED, ISSUED, REFUSAL_REASONS, WAITING, Application
from zhibu_web.gateway_client import Json, ProblemError, segment
from zhibu_web.names import names_of
from zhibu_web.pages.applications import DECIDE, go_to_next
from zhibu_web.pages.desk import Desk, ForbiddenError, open_desk
from zhibu_web.session import Decided, Flash
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/applications/{application_id}")

OTHER_REASON: Final = "REFUSAL_REASON_OTHER"


@router.get("")
async def show_application(visit: MemberVisit, organisation_id: str, application_id: str) -> HTMLResponse:
    """Show one application whole."""
    desk = await open_desk(visit, organisation_id, "applications")
    return await _page(visit, desk, application_id)


@router.post("/claim")
async def claim(visit: MemberVisit, organisation_id: str, application_id: str) -> Response:
    """Mark the case as being worked on by this clerk, or give it back."""
    desk = await _deciding_desk(visit, organisation_id)
    release = visit.form.value("release") == "yes"
    done = visit.t("application.released" if release else "application.claimed")
    return await _act(visit, desk, application_id, "claim", {"release": release}, done=done)


@router.post("/approve")
async def approve(visit: MemberVisit, organisation_id: str, application_id: str) -> Response:
    """Approve; with findings only after they were looked at."""
    desk = await _deciding_desk(visit, organisation_id)
    form = visit.form
    checked = form.value("findings_checked") == "yes"
    if form.value("has_findings") == "yes" and not checked:
        form.refuse("findings_checked", visit.t("application.findings_missing"))
        return await _page(visit, desk, application_id, status=422)
    done = visit.t("application.approved", name=form.value("name")[:60])
    answer = await _act(
        visit,
        desk,
        application_id,
        "approve",
        {"findingsChecked": checked},
        done=done,
        detail=visit.t("application.approved_detail"),
    )
    if not _failed(visit):
        async with visit.change() as data:
            data.decided = Decided(
                organisation_id=organisation_id, application_id=application_id, name=form.value("name")[:60]
            )
    return await _then(visit, desk, application_id, answer)


@router.post("/refuse")
async def refuse(visit: MemberVisit, organisation_id: str, application_id: str) -> Response:
    """Refuse with a reason that the applicant reads."""
    desk = await _deciding_desk(visit, organisation_id)
    reason, note = visit.form.value("reason"), visit.form.value("note")
    if reason not in REFUSAL_REASONS:
        visit.form.refuse("reason", visit.t("application.refuse_reason_missing"))
    elif reason == OTHER_REASON and not note:
        visit.form.refuse("note", visit.t("application.refuse_note_missing"))
    if not visit.form.ok:
        return await _page(visit, desk, application_id, status=422)
    done = visit.t("application.refused", name=visit.form.value("name")[:60])
    answer = await _act(visit, desk, application_id, "refuse", {"reason": reason, "note": note[:500]}, done=done)
    return await _then(visit, desk, application_id, answer)


@router.post("/ask")
async def ask(visit: MemberVisit, organisation_id: str, application_id: str) -> Response:
    """Ask the applicant for more."""
    desk = await _deciding_desk(visit, organisation_id)
    question = visit.form.value("question")
    if len(question) < 2:
        visit.form.refuse("question", visit.t("application.ask_missing"))
        return await _page(visit, desk, application_id, status=422)
    done = visit.t("application.asked", name=visit.form.value("name")[:60])
    answer = await _act(visit, desk, application_id, "ask", {"question": question[:500]}, done=done)
    return await _then(visit, desk, application_id, answer)


@router.post("/undo")
async def undo(visit: MemberVisit, organisation_id: str, application_id: str) -> Response:
    """Take back a wrong approval."""
    desk = await _deciding_desk(visit, organisation_id)
    reason = visit.form.value("undo_reason")
    if len(reason) < 2:
        visit.form.refuse("undo_reason", visit.t("application.undo_missing"))
        return await _page(visit, desk, application_id, status=422)
    # The issuing of the e-ID changes the record a moment after the approval: that is no reason to refuse the undoing.
    now = await desk.gateway.get(_path(desk, application_id), Application, part="application")
    if now.state in (APPROVED, ISSUED):
        visit.form.values["etag"] = now.etag
    done = visit.t("application.undone")
    return await _act(visit, desk, application_id, "undoApproval", {"reason": reason[:500]}, done=done)


async def _deciding_desk(visit: Visit, organisation_id: str) -> Desk:
    desk = await open_desk(visit, organisation_id, "applications")
    if not desk.may(DECIDE):
        raise ForbiddenError
    return desk


async def _act(
    visit: Visit, desk: Desk, application_id: str, verb: str, body: Json, *, done: str, detail: str = ""
) -> Response:
    """Do one act with the version that the clerk saw; when somebody else was faster, say so and show how it stands."""
    try:
        await desk.gateway.post(
            f"{_path(desk, application_id)}:{verb}",
            Application,
            body=body,
            request_id=visit.form.value("request_id"),
            etag=visit.form.value("etag") if verb != "claim" else "",
        )
    except ProblemError as problem:
        if problem.status >= 500 or problem.status in (401, 403, 404, 429):
            raise
        words = "; ".join(one.detail for one in problem.errors if one.detail) or problem.detail
        flash = Flash(
            kind="error",
            text=visit.t("application.conflict_because", reason=words),
            detail=visit.t("application.conflict_detail"),
        )
    else:
        flash = Flash(kind="success", text=done, detail=detail)
    await visit.flash(flash)
    return visit.redirect(f"{desk.path}/applications/{segment(application_id)}")


async def _then(visit: Visit, desk: Desk, application_id: str, answer: Response) -> Response:
    """Go on to the next case when that was asked for and this one was decided."""
    if visit.form.value("then") == "next" and not _failed(visit):
        return await go_to_next(visit, desk, after=application_id)
    return answer


def _failed(visit: Visit) -> bool:
    return any(flash.kind == "error" for flash in visit.data.flashes)


async def _page(visit: Visit, desk: Desk, application_id: str, status: int = 200) -> HTMLResponse:
    application = await desk.gateway.get(_path(desk, application_id), Application, part="application")
    now = visit.services.clock.now()
    claimed = application.claim_expire_time is not None and application.claim_expire_time > now
    mine = claimed and application.claimed_by_member_id == desk.member_id
    undo_open = application.undo_expire_time is not None and application.undo_expire_time > now
    may_decide = desk.may(DECIDE)
    decided = visit.data.decided
    undoable = decided is not None and decided.organisation_id == desk.organisation.organisation_id
    return await visit.page(
        "applications/application.html",
        status=status,
        desk=desk,
        application=application,
        branch=await visit.services.directory.name(desk.gateway, application.branch_id),
        mine=mine,
        held=claimed and not mine,
        clerks=await names_of(desk.gateway, [application.claimed_by_member_id] if claimed and not mine else []),
        decided=decided if undoable and decided and decided.application_id != application_id else None,
        open_to_decide=may_decide and application.state == WAITING and (mine or not claimed),
        may_claim=may_decide and application.state == WAITING and not claimed,
        may_undo=may_decide and undo_open and application.state in (APPROVED, ISSUED),
        reasons=REFUSAL_REASONS,
    )


def _path(desk: Desk, application_id: str) -> str:
    organisation = segment(desk.organisation.organisation_id)
    return f"/v1/organisations/{organisation}/applications/{segment(application_id)}"
