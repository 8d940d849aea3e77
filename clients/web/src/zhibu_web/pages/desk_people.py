"""People of an organisation: list, search, one person with record, documents and e-ID."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract_branches import MemberFile
from zhibu_web.contract_desk import Document, Erasure, PeoplePage
from zhibu_web.contract_people import Person
from zhibu_web.gateway_client import ProblemError, segment
from zhibu_web.names import names_of
from zhibu_web.pages.desk import Desk, open_desk
from zhibu_web.pages.desk_acts import is_refusal, organisation_names, submit, words_of
from zhibu_web.pages.desk_erasures import find_waiting
from zhibu_web.session import Flash
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/people")

READ_RECORDS: Final = "branches.members.read"
CORRECT: Final = "identity.people.correct"
ERASE: Final = "identity.people.erase"
READ_DOCUMENTS: Final = "identity.documents.read"
PAGE_SIZE: Final = 50
EDUCATIONS: Final = (
    "EDUCATION_PRIMARY",
    "EDUCATION_JUNIOR_MIDDLE",
    "EDUCATION_SENIOR_MIDDLE",
    "EDUCATION_COLLEGE",
    "EDUCATION_BACHELOR",
    "EDUCATION_POSTGRADUATE",
)
PRESENT: Final = "STANDING_PRESENT"
_TELEPHONE: Final = re.compile(r"^1[0-9]{10}$", re.ASCII)
_TEXT_FIELDS: Final = {
    "real_name": ("realName", 60),
    "resident_number": ("residentNumber", 18),
    "ethnicity": ("ethnicity", 20),
    "work_unit": ("workUnit", 120),
    "address": ("address", 200),
}
_FIELDS: Final = {name: own for own, (name, _) in _TEXT_FIELDS.items()} | {"education": "education"}


@router.get("")
async def show_people(visit: MemberVisit, organisation_id: str, view: str = "all", page: str = "") -> Response:
    """Show a page of people, by branch and name, or those found last."""
    desk = await open_desk(visit, organisation_id, "people")
    if view == "search":
        query = visit.data.searches.get("people", "")
        if not query:
            return visit.redirect(f"{desk.path}/people")
        body = {"query": query, "pageSize": PAGE_SIZE, "pageToken": page}
        found = await desk.gateway.post(f"{base_of(desk)}:search", PeoplePage, body={**body})
        return await _list_page(visit, desk, found, view="search", page=page, query=query)
    view = "without" if view == "without" else "all"
    return await _list(visit, desk, view, page)


async def _list(visit: Visit, desk: Desk, view: str, page: str, status: int = 200) -> HTMLResponse:
    parameters = {"withoutEid": "true" if view == "without" else "", "pageSize": PAGE_SIZE, "pageToken": page}
    found = await desk.gateway.get(base_of(desk), PeoplePage, params=parameters)
    return await _list_page(visit, desk, found, view=view, page=page, query="", status=status)


async def _list_page(
    visit: Visit, desk: Desk, found: PeoplePage, *, view: str, page: str, query: str, status: int = 200
) -> HTMLResponse:
    return await visit.page(
        "desk_people/list.html",
        status=status,
        desk=desk,
        view=view,
        people=found.people,
        total=found.total_count,
        next_page=found.next_page_token,
        page_token=page,
        query=query,
        branches=await organisation_names(visit, desk.gateway, (one.branch_id for one in found.people)),
    )


@router.post("/search")
async def search(visit: MemberVisit, organisation_id: str) -> Response:
    """Keep what is searched for in the session, where it is not seen in an address."""
    desk = await open_desk(visit, organisation_id, "people")
    query = visit.form.value("query")[:60]
    if not query:
        visit.form.refuse("query", visit.t("queue.search_missing"))
        return await _list(visit, desk, "all", "", status=422)
    async with visit.change() as data:
        data.searches = {**data.searches, "people": query}
    return visit.redirect(f"{desk.path}/people?view=search")


@router.get("/{member_id}")
async def show_person(visit: MemberVisit, organisation_id: str, member_id: str) -> HTMLResponse:
    """Show a person with the record, its history and its documents, as far as the officer may see them."""
    desk = await open_desk(visit, organisation_id, "people")
    return await person_page(visit, desk, member_id)


async def person_page(visit: Visit, desk: Desk, member_id: str, status: int = 200) -> HTMLResponse:
    """Return the page of a person."""
    person, file, documents = await asyncio.gather(
        person_of(desk, member_id), file_of(desk, member_id), documents_of(desk, member_id)
    )
    decisions = file.decisions if file else ()
    officers = {one.made_by_member_id for one in (*decisions, *documents)}
    branches = {person.branch_id, *(one.branch_id for one in decisions)}
    return await visit.page(
        "desk_people/person.html",
        status=status,
        desk=desk,
        person=person,
        record=file.record if file else None,
        decisions=decisions,
        documents=documents,
        document_names={one.document_id: one.file_name for one in documents},
        names=await names_of(desk.gateway, officers),
        branches=await organisation_names(visit, desk.gateway, branches),
        present=file is not None and file.record.standing == PRESENT,
    )


async def file_of(desk: Desk, member_id: str) -> MemberFile | None:
    """Return a person's record with its history; None when no branch holds the person or it may not be read."""
    if not desk.may(READ_RECORDS):
        return None
    path = f"/v1/organisations/{segment(desk.organisation.organisation_id)}/members/{segment(member_id)}"
    try:
        return await desk.gateway.get(path, MemberFile)
    except ProblemError as problem:
        if problem.status == 404:
            return None
        raise


async def documents_of(desk: Desk, member_id: str) -> list[Document]:
    """Return what documents there are about a person, as far as the officer may see them."""
    if not desk.may(READ_DOCUMENTS):
        return []
    path = f"{base_of(desk)}/{segment(member_id)}/documents"
    try:
        return await desk.gateway.get_list(path, Document, "documents")
    except ProblemError as problem:
        if problem.status == 404:
            return []
        raise


async def person_of(desk: Desk, member_id: str) -> Person:
    """Return a person with the version of the record."""
    person, etag = await desk.gateway.get_with_etag(f"{base_of(desk)}/{segment(member_id)}", Person, "person")
    return person.model_copy(update={"etag": person.etag or etag})


@router.get("/{member_id}/correct")
async def show_correct(visit: MemberVisit, organisation_id: str, member_id: str) -> HTMLResponse:
    """Show the form that corrects a person's data."""
    desk = await _correcting_desk(visit, organisation_id)
    return await _correct_page(visit, desk, await person_of(desk, member_id))


async def _correct_page(visit: Visit, desk: Desk, person: Person, status: int = 200) -> HTMLResponse:
    entered = visit.form.values
    values = {name: entered.get(name, getattr(person, name)) for name in (*_TEXT_FIELDS, "education")}
    return await visit.page(
        "desk_people/correct.html", status=status, desk=desk, person=person, values=values, educations=EDUCATIONS
    )


@router.post("/{member_id}/correct")
async def correct(visit: MemberVisit, organisation_id: str, member_id: str) -> Response:
    """Correct what differs from the record."""
    desk = await _correcting_desk(visit, organisation_id)
    form = visit.form
    person = await person_of(desk, member_id)
    body: dict[str, object] = {}
    for own, (name, limit) in _TEXT_FIELDS.items():
        entered = form.value(own)[:limit]
        if entered and entered != getattr(person, own):
            body[name] = entered
    if form.value("education") in EDUCATIONS and form.value("education") != person.education:
        body["education"] = form.value("education")
    if not body:
        form.refuse("", visit.t("people.nothing_changed"))
    path = f"{base_of(desk)}/{segment(member_id)}:correct"
    if await submit(visit, desk.gateway, path, body=body, fields=_FIELDS, done=visit.t("people.corrected")):
        return visit.redirect(f"{desk.path}/people/{segment(member_id)}")
    return await _correct_page(visit, desk, person, status=422)


@router.get("/{member_id}/telephone")
async def show_telephone(visit: MemberVisit, organisation_id: str, member_id: str) -> HTMLResponse:
    """Show the form that gives a person another telephone."""
    desk = await _correcting_desk(visit, organisation_id)
    return await _telephone_page(visit, desk, member_id)


async def _telephone_page(visit: Visit, desk: Desk, member_id: str, status: int = 200) -> HTMLResponse:
    person = await person_of(desk, member_id)
    return await visit.page("desk_people/telephone.html", status=status, desk=desk, person=person)


@router.post("/{member_id}/telephone")
async def change_telephone(visit: MemberVisit, organisation_id: str, member_id: str) -> Response:
    """Give a person another telephone, after the officer has seen the person."""
    desk = await _correcting_desk(visit, organisation_id)
    form = visit.form
    number = form.value("telephone").replace(" ", "")
    if not _TELEPHONE.match(number):
        form.refuse("telephone", visit.t("people.telephone_bad"))
    if form.value("seen") != "yes":
        form.refuse("seen", visit.t("people.seen_missing"))
    path = f"{base_of(desk)}/{segment(member_id)}:changeTelephone"
    fields = {"telephone": "telephone"}
    done = visit.t("people.telephone_changed")
    if await submit(visit, desk.gateway, path, body={"telephone": number}, fields=fields, done=done):
        return visit.redirect(f"{desk.path}/people/{segment(member_id)}")
    return await _telephone_page(visit, desk, member_id, status=422)


@router.get("/{member_id}/erase")
async def show_erase(visit: MemberVisit, organisation_id: str, member_id: str) -> HTMLResponse:
    """Say what erasure means, and ask for the reason."""
    desk = await open_desk(visit, organisation_id, "people")
    desk.demand(ERASE)
    return await _erase_page(visit, desk, member_id)


async def _erase_page(visit: Visit, desk: Desk, member_id: str, status: int = 200) -> HTMLResponse:
    person = await person_of(desk, member_id)
    # Where an erasure waits already, it is confirmed or ended in the list, with what the first officer wrote.
    waiting = await find_waiting(desk, member_id)
    officers = [waiting.proposed_by_member_id] if waiting else []
    return await visit.page(
        "desk_people/erase.html",
        status=status,
        desk=desk,
        person=person,
        waiting=waiting,
        names=await names_of(desk.gateway, officers),
    )


@router.post("/{member_id}/erase")
async def erase(visit: MemberVisit, organisation_id: str, member_id: str) -> Response:
    """Propose an erasure, or do what another officer has proposed."""
    desk = await open_desk(visit, organisation_id, "people")
    desk.demand(ERASE)
    form = visit.form
    reason = form.value("reason")[:200]
    if len(reason) < 2:
        form.refuse("reason", visit.t("people.erase_reason_missing"))
    if form.value("confirm") != "yes":
        form.refuse("confirm", visit.t("eid.revoke_confirm_missing"))
    if form.ok:
        try:
            erasure = await desk.gateway.post(
                f"{base_of(desk)}/{segment(member_id)}:erase",
                Erasure,
                body={"reason": reason},
                request_id=form.value("request_id"),
                etag=form.value("etag"),
            )
        except ProblemError as problem:
            if not is_refusal(problem):
                raise
            form.refuse("", words_of(problem, visit.t("error.refused_title")))
        else:
            return await _erased(visit, desk, erasure, member_id)
    return await _erase_page(visit, desk, member_id, status=422)


async def _erased(visit: Visit, desk: Desk, erasure: Erasure, member_id: str) -> Response:
    if erasure.done:
        await visit.flash(Flash(kind="success", text=visit.t("people.erased")))
        return visit.redirect(f"{desk.path}/people")
    text, detail = visit.t("people.erase_proposed"), visit.t("people.erase_proposed_detail")
    await visit.flash(Flash(kind="notice", text=text, detail=detail))
    return visit.redirect(f"{desk.path}/people/{segment(member_id)}")


async def _correcting_desk(visit: Visit, organisation_id: str) -> Desk:
    desk = await open_desk(visit, organisation_id, "people")
    desk.demand(CORRECT)
    return desk


def base_of(desk: Desk) -> str:
    """Return the path of an organisation's people at the gateway."""
    return f"/v1/organisations/{segment(desk.organisation.organisation_id)}/people"
