"""Who looked at the member's record or changed it, and the proof that the log says so."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract_log import DONE, READ, Entry, EntryPage, ProvenEntry
from zhibu_web.gateway_client import segment
from zhibu_web.log_check import MEMBERS_FIELDS, leaf_file, make_check, proof_file
from zhibu_web.rendering import when
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/me/log")

PAGE_SIZE: Final = 50
# The filter by the word in the address.
KINDS: Final = {"all": "", "read": READ, "changed": DONE}


@router.get("")
async def show_entries(visit: MemberVisit, kind: str = "all", page: str = "") -> HTMLResponse:
    """Show a page of entries, newest first; what the member only read alone stands apart."""
    gateway = await visit.gateway()
    me = (await visit.member()).member_id
    kind = kind if kind in KINDS else "all"
    asked = {"outcome": KINDS[kind], "pageSize": PAGE_SIZE, "pageToken": page}
    found = await gateway.get("/v1/me/log/entries", EntryPage, params=asked)
    own = [one for one in found.entries if is_own_reading(one, me)]
    return await visit.page(
        "log/my_entries.html",
        entries=[one for one in found.entries if not is_own_reading(one, me)],
        own=own,
        me=me,
        kind=kind,
        kinds=KINDS,
        next_page=found.next_page_token,
        page_token=page,
        help_telephone=await _help_telephone(visit),
    )


@router.get("/{index}")
async def show_entry(visit: MemberVisit, index: int) -> HTMLResponse:
    """Show one entry with the part of the page on which its proof is checked."""
    proven = await _prove(visit, index)
    me = (await visit.member()).member_id
    shown = shown_to_member(visit, proven.entry)
    check = make_check(visit, proven, fields=MEMBERS_FIELDS, shown=shown, member_id=me)
    return await visit.page(
        "log/my_entry.html",
        entry=proven.entry,
        me=me,
        check=check,
        files=f"/me/log/{proven.entry.index}",
        help_telephone=await _help_telephone(visit),
    )


@router.get("/{index}/proof")
async def download_proof(visit: MemberVisit, index: int) -> Response:
    """Give the proof as a file."""
    return proof_file(visit, await _prove(visit, index))


@router.get("/{index}/leaf")
async def download_leaf(visit: MemberVisit, index: int) -> Response:
    """Give the entry as it stands in the log."""
    return leaf_file(visit, await _prove(visit, index))


def is_own_reading(entry: Entry, member_id: str) -> bool:
    """Say whether the member read this without an office: nobody else looked."""
    return entry.outcome == READ and entry.member_id == member_id != "" and not entry.offices


def shown_to_member(visit: Visit, entry: Entry) -> dict[str, str]:
    """Return the page's words for what the log says in codes."""
    return {
        "time": when(visit.language, entry.create_time),
        # The log has the name alone: whoever reads sees which words the page has for it.
        "action": f"{entry.action_text} ({entry.action})" if entry.action_text else entry.action,
        "outcome": visit.t(f"entry_outcome.{entry.outcome}"),
        "offices": "; ".join(f"{one.office_text or one.office} · {one.organisation_name}" for one in entry.offices),
        "organisation": entry.organisation_name or entry.organisation_id,
        "lane": entry.lane,
        "sequence": str(entry.sequence),
    }


async def _help_telephone(visit: Visit) -> str:
    """Return the telephone of the county organisation department, whom the member can ask."""
    county = (await visit.member()).organisation_id
    if not county:
        return ""
    return (await visit.services.directory.settings(await visit.gateway(), county)).help_telephone


async def _prove(visit: Visit, index: int) -> ProvenEntry:
    gateway = await visit.gateway()
    return await gateway.get(f"/v1/me/log/entries/{segment(str(index))}/proof", ProvenEntry)
