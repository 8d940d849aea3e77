"""Founding a virtual branch: look, propose, sign, submit."""

from __future__ import annotations

import asyncio
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract import Message, Organisation
from zhibu_web.contract_branches import (
    COLLECTING,
    FOUNDING_SUBMITTED,
    Founding,
    FoundingFile,
    FoundingKind,
    FoundingPage,
)
from zhibu_web.gateway_client import Gateway, ProblemError, segment
from zhibu_web.names import names_of
from zhibu_web.pages.member_acts import act, refusal
from zhibu_web.session import Flash
from zhibu_web.texts import EN
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/foundings")

PAGE_SIZE: Final = 20
COUNTY_CODE_DIGITS: Final = 6
_FIELDS: Final = {"name": "name", "kind": "kind", "purpose": "purpose", "organisationId": "organisation_id"}


class _Founding(Message):
    founding: Founding = Founding()


@router.get("")
async def show_foundings(visit: MemberVisit, view: str = "county", page: str = "") -> HTMLResponse:
    """Show the foundings that collect signatures in the member's county, or the member's own."""
    view = view if view in ("county", "mine") else "county"
    gateway = await visit.gateway()
    found = await gateway.get(
        "/v1/foundings",
        FoundingPage,
        params={"mine": "true" if view == "mine" else "", "pageSize": PAGE_SIZE, "pageToken": page},
    )
    places = {one.organisation_id for one in found.foundings}
    counties = {one.county_code for one in found.foundings}
    names, kinds = await asyncio.gather(
        _organisation_names(visit, gateway, places),
        _kind_names(visit, gateway, counties),
    )
    return await visit.page(
        "foundings/list.html",
        view=view,
        foundings=found.foundings,
        names=names,
        kinds=kinds,
        next_page=found.next_page_token,
        page_token=page,
    )


@router.get("/new")
async def show_new(visit: MemberVisit) -> HTMLResponse:
    """Show the form for a new founding."""
    return await _new_page(visit)


@router.post("/new")
async def propose(visit: MemberVisit) -> Response:
    """Propose a virtual branch; the member is the first who signs."""
    form = visit.form
    if not 4 <= len(form.value("name")) <= 60:
        form.refuse("name", visit.t("founding.name_bad"))
    if not form.value("kind"):
        form.refuse("kind", visit.t("founding.kind_missing"))
    if not form.value("organisation_id"):
        form.refuse("organisation_id", visit.t("founding.place_missing"))
    if not 10 <= len(form.value("purpose")) <= 1000:
        form.refuse("purpose", visit.t("founding.purpose_bad"))
    if not form.ok:
        return await _new_page(visit, status=422)
    gateway = await visit.gateway()
    body: dict[str, object] = {api: form.value(name) for api, name in _FIELDS.items()}
    try:
        made = await gateway.post("/v1/foundings", _Founding, body=body, request_id=form.value("request_id"))
    except ProblemError as problem:
        words = refusal(visit, problem)
        form.refuse_problem(problem, _FIELDS, words)
        return await _new_page(visit, status=422)
    await visit.flash(
        Flash(kind="success", text=visit.t("founding.proposed"), detail=visit.t("founding.proposed_detail"))
    )
    return visit.redirect(f"/foundings/{made.founding.founding_id}")


async def _new_page(visit: Visit, status: int = 200) -> HTMLResponse:
    gateway, member = await visit.gateway(), await visit.member()
    county_id = member.organisation_id
    directory = visit.services.directory
    places: list[Organisation] = []
    kinds: list[FoundingKind] = []
    if len(county_id) == COUNTY_CODE_DIGITS:
        county, below, kinds = await asyncio.gather(
            directory.organisation(gateway, county_id),
            directory.children(gateway, county_id),
            directory.founding_kinds(gateway, county_id),
        )
        places = [county, *(one for one in below if one.level != "ORGANISATION_LEVEL_BRANCH")]
    return await visit.page(
        "foundings/new.html",
        status=status,
        places=[(one.organisation_id, one.name) for one in places],
        kinds=[(one.kind, _kind_name(visit, one)) for one in kinds if one.active],
    )


@router.get("/{founding_id}")
async def show_founding(visit: MemberVisit, founding_id: str) -> HTMLResponse:
    """Show one founding, how far it is, and what the member can do about it."""
    gateway = await visit.gateway()
    file = await gateway.get(f"/v1/foundings/{segment(founding_id)}", FoundingFile)
    founding = file.founding
    names, kinds, people = await asyncio.gather(
        _organisation_names(visit, gateway, {founding.organisation_id, founding.branch_id}),
        _kind_names(visit, gateway, {founding.county_code}),
        names_of(gateway, [founding.initiator_member_id, *(one.member_id for one in file.cosigners)]),
    )
    collecting = founding.state == COLLECTING
    return await visit.page(
        "foundings/founding.html",
        founding=founding,
        cosigners=file.cosigners,
        names=names,
        kinds=kinds,
        people=people,
        wanting=max(founding.required_count - founding.full_member_count, 0),
        may_sign=collecting and not founding.signed_by_me,
        may_unsign=collecting and founding.signed_by_me and not founding.initiated_by_me,
        may_submit=collecting and founding.initiated_by_me and founding.full_member_count >= founding.required_count,
        may_withdraw=founding.initiated_by_me and founding.state in (COLLECTING, FOUNDING_SUBMITTED),
        share_url=f"{visit.services.settings.public_url}/foundings/{founding.founding_id}",
    )


@router.post("/{founding_id}/sign")
async def sign(visit: MemberVisit, founding_id: str) -> Response:
    """Sign a founding."""
    return await _act(visit, founding_id, "cosign", done=visit.t("founding.signed"))


@router.post("/{founding_id}/unsign")
async def unsign(visit: MemberVisit, founding_id: str) -> Response:
    """Take the signature back."""
    return await _act(visit, founding_id, "withdrawSignature", done=visit.t("founding.unsigned"))


@router.post("/{founding_id}/submit")
async def submit(visit: MemberVisit, founding_id: str) -> Response:
    """Hand the founding to the county."""
    done, etag = visit.t("founding.submitted"), visit.form.value("etag")
    return await _act(visit, founding_id, "submit", done=done, etag=etag)


@router.get("/{founding_id}/withdraw")
async def confirm_withdrawal(visit: MemberVisit, founding_id: str) -> HTMLResponse:
    """Ask whether the founding shall really be withdrawn."""
    gateway = await visit.gateway()
    file = await gateway.get(f"/v1/foundings/{segment(founding_id)}", FoundingFile)
    return await visit.page("foundings/withdraw.html", founding=file.founding)


@router.post("/{founding_id}/withdraw")
async def withdraw(visit: MemberVisit, founding_id: str) -> Response:
    """Withdraw the founding."""
    done, etag = visit.t("founding.withdrawn"), visit.form.value("etag")
    return await _act(visit, founding_id, "withdraw", done=done, etag=etag)


async def _act(visit: Visit, founding_id: str, verb: str, *, done: str, etag: str = "") -> Response:
    path = f"/v1/foundings/{segment(founding_id)}:{verb}"
    return await act(visit, path, body={}, done=done, back=f"/foundings/{segment(founding_id)}", etag=etag)


async def _organisation_names(visit: Visit, gateway: Gateway, organisation_ids: set[str]) -> dict[str, str]:
    wanted = sorted(organisation_ids - {""})
    names = await asyncio.gather(*(visit.services.directory.name(gateway, one) for one in wanted))
    return dict(zip(wanted, names, strict=True))


async def _kind_names(visit: Visit, gateway: Gateway, counties: set[str]) -> dict[str, str]:
    lists = await asyncio.gather(
        *(visit.services.directory.founding_kinds(gateway, one) for one in sorted(counties - {""}))
    )
    return {kind.kind: _kind_name(visit, kind) for kinds in lists for kind in kinds}


def _kind_name(visit: Visit, kind: FoundingKind) -> str:
    return (kind.display_name_en or kind.display_name_zh) if visit.language == EN else kind.display_name_zh
