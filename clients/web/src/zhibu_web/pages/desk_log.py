"""The log at the desk: searching who did what at an organisation and below it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract import Eid, EidPage
from zhibu_web.contract_log import EntryPage
from zhibu_web.gateway_client import ProblemError, segment
from zhibu_web.log_search import FIELDS, IDENTIFIER, MEMBER_ID, OUTCOMES, PREFIXES, LogSearch, read_search, search_of
from zhibu_web.names import names_of
from zhibu_web.pages.desk import Desk, open_desk
from zhibu_web.pages.desk_acts import is_refusal, words_of
from zhibu_web.pages.desk_lists import DeskList, list_of
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/log")

EXPORT: Final = "audit.entries.export"
FIND_PEOPLE: Final = "identity.eids.read"
# Where a search remembered in the session stands.
_KEPT: Final = "log"
MAX_FOUND: Final = 20


@router.get("")
async def show_log(visit: MemberVisit, organisation_id: str, page: str = "") -> HTMLResponse:
    """Show a page of what was searched for last at this desk, newest first; everything before a search."""
    desk = await open_desk(visit, organisation_id, "log")
    search = search_of(visit.data.searches.get(_KEPT, ""), organisation_id)
    visit.form.values.update(search.model_dump())
    try:
        listed = await list_of(desk, EntryPage, "log/entries", page=page, params=search.params())
    except ProblemError as problem:
        if not is_refusal(problem):
            raise
        visit.form.refuse_problem(problem, FIELDS, words_of(problem, visit.t("error.refused_title")))
        return await _page(visit, desk, search=search, status=422)
    return await _page(visit, desk, search=search, listed=listed)


@router.post("/search")
async def search_log(visit: MemberVisit, organisation_id: str) -> Response:
    """Keep what is searched for in the session, where it is not seen in an address."""
    desk = await open_desk(visit, organisation_id, "log")
    search = read_search(visit, organisation_id)
    found = {name: await _find(visit, desk, name) for name in ("member", "subject")}
    if not visit.form.ok or any(len(one) > 1 for one in found.values()):
        return await _page(visit, desk, search=search, found=found, status=200 if visit.form.ok else 422)
    chosen: dict[str, str] = {}
    for name, people in found.items():
        if people:
            chosen |= {f"{name}_id": people[0].member_id, name: people[0].real_name or people[0].member_id}
    async with visit.change() as data:
        data.searches = {**data.searches, _KEPT: search.model_copy(update=chosen).model_dump_json()}
    return visit.redirect(f"{desk.path}/log")


async def _find(visit: Visit, desk: Desk, name: str) -> list[Eid]:
    """Return whom a field of the form may mean: an identifier as it is, otherwise the people found by it."""
    form = visit.form
    entered, chosen = form.value(name)[:64], form.value(f"{name}_id")
    if MEMBER_ID.match(chosen):
        return [Eid(member_id=chosen, real_name=entered)]
    if not entered:
        return []
    if MEMBER_ID.match(entered.lower()):
        return [Eid(member_id=entered.lower())]
    people: list[Eid] = []
    if desk.may(FIND_PEOPLE):
        path = f"/v1/organisations/{segment(desk.organisation.organisation_id)}/eids:search"
        page = await desk.gateway.post(path, EidPage, body={"query": entered[:60], "pageSize": MAX_FOUND})
        people = [one for one in page.eids if one.member_id]
    if not people and name == "subject" and IDENTIFIER.match(entered):
        return [Eid(member_id=entered)]
    if not people:
        form.refuse(name, visit.t("log.nobody_found"))
    return people


async def _page(
    visit: Visit,
    desk: Desk,
    *,
    search: LogSearch,
    listed: DeskList[EntryPage] | None = None,
    found: Mapping[str, list[Eid]] | None = None,
    status: int = 200,
) -> HTMLResponse:
    entries = listed.found.entries if listed else ()
    return await visit.page(
        "log/list.html",
        status=status,
        desk=desk,
        search=search,
        entries=entries,
        names=await names_of(desk.gateway, (one.member_id for one in entries)),
        listed=listed is not None,
        next_page=listed.found.next_page_token if listed else "",
        page_token=listed.page_token if listed else "",
        found={name: people for name, people in (found or {}).items() if len(people) > 1},
        prefixes=PREFIXES,
        outcomes=OUTCOMES,
        may_export=desk.may(EXPORT),
    )
