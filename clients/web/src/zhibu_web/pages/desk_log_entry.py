"""One entry of the log at the desk: everything that stands in it, and its proof."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract_log import Entry, ProvenEntry
from zhibu_web.gateway_client import segment
from zhibu_web.log_check import OFFICERS_FIELDS, leaf_file, make_check, proof_file, readable_leaf
from zhibu_web.names import names_of
from zhibu_web.pages.desk import Desk, open_desk
from zhibu_web.pages.my_log import shown_to_member
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/log/entries")


@router.get("/{index}")
async def show_entry(visit: MemberVisit, organisation_id: str, index: int) -> HTMLResponse:
    """Show one entry with the part of the page on which its proof is checked."""
    desk = await open_desk(visit, organisation_id, "log")
    proven = await _prove(desk, index)
    entry = proven.entry
    name = (await names_of(desk.gateway, [entry.member_id])).get(entry.member_id, "")
    return await visit.page(
        "log/entry.html",
        desk=desk,
        entry=entry,
        name=name,
        leaf=readable_leaf(proven),
        check=make_check(visit, proven, fields=OFFICERS_FIELDS, shown=_shown(visit, entry, name)),
        files=f"{desk.path}/log/entries/{entry.index}",
    )


@router.get("/{index}/proof")
async def download_proof(visit: MemberVisit, organisation_id: str, index: int) -> Response:
    """Give the proof as a file."""
    return proof_file(visit, await _prove(await open_desk(visit, organisation_id, "log"), index))


@router.get("/{index}/leaf")
async def download_leaf(visit: MemberVisit, organisation_id: str, index: int) -> Response:
    """Give the entry as it stands in the log."""
    return leaf_file(visit, await _prove(await open_desk(visit, organisation_id, "log"), index))


def _shown(visit: Visit, entry: Entry, name: str) -> dict[str, str]:
    return {
        **shown_to_member(visit, entry),
        "reason": entry.reason,
        "account": entry.account_id,
        "member": name or entry.member_id,
        "service": entry.caller_service,
        "subject": entry.subject_id,
        "count": str(entry.subjects_count),
    }


async def _prove(desk: Desk, index: int) -> ProvenEntry:
    base = f"/v1/organisations/{segment(desk.organisation.organisation_id)}"
    return await desk.gateway.get(f"{base}/log/entries/{segment(str(index))}/proof", ProvenEntry)
