"""The clerk's queue: applications by state, searched, exported, and approved many at once."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract import (
    APPROVED,
    ISSUED,
    QUESTIONED,
    REFUSED,
    WAITING,
    WITHDRAWN,
    Application,
    ApplicationPage,
    ApprovalBatch,
)
from zhibu_web.gateway_client import Json, ProblemError, segment
from zhibu_web.names import names_of
from zhibu_web.pages.desk import Desk, ForbiddenError, open_desk
from zhibu_web.pages.desk_acts import organisation_names, pass_on
from zhibu_web.session import Flash, Upcoming
from zhibu_web.visit import MemberVisit, Visit, new_request_id

log = logging.getLogger("zhibu.web.desk")
router = APIRouter(prefix="/desk/{organisation_id}")

DECIDE: Final = "identity.applications.decide"
EXPORT: Final = "identity.applications.export"
TABS: Final = {
    "waiting": (WAITING,),
    "questioned": (QUESTIONED,),
    "approved": (APPROVED, ISSUED),
    "closed": (REFUSED, WITHDRAWN),
}
PAGE_SIZE: Final = 50
# How many cases are tried when the next one is taken by another clerk at the same moment.
NEXT_TRIES: Final = 5


@router.get("/applications")
async def show_queue(visit: MemberVisit, organisation_id: str, view: str = "waiting", page: str = "") -> Response:
    """Show a page of the queue, or what was searched for last."""
    desk = await open_desk(visit, organisation_id, "applications")
    if view == "search":
        return await _search_page(visit, desk)
    return await _queue_page(visit, desk, view if view in TABS else "waiting", page)


@router.post("/applications/search")
async def search(visit: MemberVisit, organisation_id: str) -> Response:
    """Keep what is searched for in the session, where it is not seen in an address."""
    desk = await open_desk(visit, organisation_id, "applications")
    query = visit.form.value("query")[:60]
    if not query:
        visit.form.refuse("query", visit.t("queue.search_missing"))
        return await _queue_page(visit, desk, "waiting", "", status=422)
    async with visit.change() as data:
        data.searches = {**data.searches, "applications": query}
    return visit.redirect(f"{desk.path}/applications?view=search")


async def _queue_page(visit: Visit, desk: Desk, view: str, page: str, status: int = 200) -> HTMLResponse:
    base = _base(desk)

    async def load(name: str, size: int, token: str) -> ApplicationPage:
        parameters = {"states": TABS[name], "pageSize": size, "pageToken": token}
        return await desk.gateway.get(base, ApplicationPage, params=parameters)

    # The two tabs with work to do show how much; the others are not worth a reading in the log.
    others = [name for name in ("waiting", "questioned") if name != view]
    pages = await asyncio.gather(load(view, PAGE_SIZE, page), *(load(name, 1, "") for name in others))
    results = dict(zip((view, *others), pages, strict=True))
    found = results[view]
    return await visit.page(
        "applications/queue.html",
        status=status,
        desk=desk,
        view=view,
        tabs=TABS,
        counts={name: one.total_count for name, one in results.items()},
        applications=found.applications,
        next_page=found.next_page_token,
        page_token=page,
        query=visit.form.value("query"),
        names=await _clerks(desk, found.applications),
        branches=await organisation_names(visit, desk.gateway, (one.branch_id for one in found.applications)),
    )


async def _search_page(visit: Visit, desk: Desk) -> Response:
    query = visit.data.searches.get("applications", "")
    if not query:
        return visit.redirect(f"{desk.path}/applications")
    found = await desk.gateway.post(
        f"{_base(desk)}:search", ApplicationPage, body={"query": query, "pageSize": PAGE_SIZE}
    )
    return await visit.page(
        "applications/queue.html",
        desk=desk,
        view="search",
        tabs=TABS,
        counts={},
        applications=found.applications,
        next_page="",
        more=bool(found.next_page_token),
        page_token="",
        query=query,
        names=await _clerks(desk, found.applications),
        branches=await organisation_names(visit, desk.gateway, (one.branch_id for one in found.applications)),
    )


async def _clerks(desk: Desk, applications: tuple[Application, ...]) -> dict[str, str]:
    """Return the names of those who work on cases; the own name is not asked for."""
    return await names_of(
        desk.gateway, (one.claimed_by_member_id for one in applications if one.claimed_by_member_id != desk.member_id)
    )


@router.post("/applications/next")
async def take_next(visit: MemberVisit, organisation_id: str) -> Response:
    """Claim the oldest case that nobody else works on, and open it; one that is skipped is given back."""
    desk = await open_desk(visit, organisation_id, "applications")
    skipped = visit.form.value("skip")
    if skipped and desk.may(DECIDE):
        await _claim(desk, skipped, release=True)
    return await go_to_next(visit, desk, after=skipped)


@router.get("/applications/upcoming")
async def show_upcoming(visit: MemberVisit, organisation_id: str, after: str = "") -> HTMLResponse:
    """Find the cases that come next while the clerk reads this one; say how many are known."""
    desk = await open_desk(visit, organisation_id, "applications")
    desk.demand(DECIDE)
    known = _upcoming(visit, desk, after)
    if not known:
        known = await _find_upcoming(visit, desk, after)
    return await visit.page("applications/upcoming.html", desk=desk, count=len(known), full=len(known) >= PAGE_SIZE - 1)


async def go_to_next(visit: Visit, desk: Desk, *, after: str = "") -> Response:
    """Claim the oldest case that nobody else works on, and open it; without one, go back to the queue.

    Those found while the clerk read the last case are tried first: that spares a search between two decisions.
    """
    desk.demand(DECIDE)
    known = _upcoming(visit, desk, after)
    taken = await _claim_first(visit, desk, known)
    if not taken:
        taken = await _claim_first(visit, desk, await _find_upcoming(visit, desk, after))
    if taken:
        return visit.redirect(f"{desk.path}/applications/{taken}")
    await visit.flash(Flash(kind="notice", text=visit.t("queue.no_next")))
    return visit.redirect(f"{desk.path}/applications")


def _upcoming(visit: Visit, desk: Desk, after: str) -> list[str]:
    known = visit.data.upcoming
    if known is None or known.organisation_id != desk.organisation.organisation_id:
        return []
    return [one for one in known.application_ids if one != after]


async def _find_upcoming(visit: Visit, desk: Desk, after: str) -> list[str]:
    waiting = await desk.gateway.get(_base(desk), ApplicationPage, params={"states": [WAITING], "pageSize": PAGE_SIZE})
    now = visit.services.clock.now()
    free = [
        one.application_id
        for one in waiting.applications
        if one.application_id != after
        and (
            one.claimed_by_member_id in ("", desk.member_id)
            or (one.claim_expire_time is not None and one.claim_expire_time <= now)
        )
    ]
    await _remember_upcoming(visit, desk, free)
    return free


async def _remember_upcoming(visit: Visit, desk: Desk, application_ids: list[str]) -> None:
    async with visit.change() as data:
        data.upcoming = Upcoming(organisation_id=desk.organisation.organisation_id, application_ids=application_ids)


async def _claim_first(visit: Visit, desk: Desk, application_ids: list[str]) -> str:
    """Claim the first case that can be had and return it; empty when there is none."""
    for index, one in enumerate(application_ids[:NEXT_TRIES]):
        if await _claim(desk, one):
            await _remember_upcoming(visit, desk, application_ids[index + 1 :])
            return one
    return ""


async def _claim(desk: Desk, application_id: str, *, release: bool = False) -> bool:
    path = f"{_base(desk)}/{segment(application_id)}:claim"
    try:
        await desk.gateway.post(path, Application, body={"release": release}, request_id=new_request_id())
    except ProblemError as problem:
        if problem.status >= 500 or problem.status in (401, 403, 429):
            raise
        return False
    return True


@router.get("/applications.csv")
async def export(visit: MemberVisit, organisation_id: str, view: str = "") -> Response:
    """Pass the export on as it arrives; the service records who took it."""
    desk = await open_desk(visit, organisation_id, "applications")
    if not desk.may(EXPORT):
        raise ForbiddenError
    return await pass_on(
        visit,
        desk.gateway,
        f"{_base(desk)}:export",
        params={"states": TABS.get(view, ())},
        file_name=f"applications-{organisation_id}.csv",
    )


@router.post("/approval-batches")
async def approve_many(visit: MemberVisit, organisation_id: str) -> Response:
    """Start the approval of all that are ticked."""
    desk = await open_desk(visit, organisation_id, "applications")
    entries: list[Json] = []
    for entry in visit.form_lists.get("entry", [])[:200]:
        application_id, _, etag = entry.partition(" ")
        entries.append({"applicationId": application_id, "etag": etag})
    if not entries:
        visit.form.refuse("choose_all", visit.t("queue.approve_none"))
        return await _queue_page(visit, desk, "waiting", "", status=422)
    batch = await desk.gateway.post(
        f"/v1/organisations/{segment(organisation_id)}/approval-batches",
        ApprovalBatch,
        body={"entries": entries},
        request_id=visit.form.value("request_id"),
        part="approvalBatch",
    )
    return visit.redirect(f"{desk.path}/approval-batches/{batch.approval_batch_id}")


@router.get("/approval-batches/{approval_batch_id}")
async def show_batch(visit: MemberVisit, organisation_id: str, approval_batch_id: str) -> HTMLResponse:
    """Show how far a batch is; with htmx only the part that changes is asked for again each second."""
    desk = await open_desk(visit, organisation_id, "applications")
    batch = await desk.gateway.get(
        f"/v1/organisations/{segment(organisation_id)}/approval-batches/{segment(approval_batch_id)}",
        ApprovalBatch,
        part="approvalBatch",
    )
    failed = [one for one in batch.items if one.failure_reason]
    template = "applications/batch_progress.html" if visit.is_fragment else "applications/batch.html"
    return await visit.page(template, desk=desk, batch=batch, failed=failed)


def _base(desk: Desk) -> str:
    return f"/v1/organisations/{segment(desk.organisation.organisation_id)}/applications"
