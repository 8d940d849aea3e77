"""The member's own record: status, dates, occupation, and how it came about."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from zhibu_web.contract_branches import MemberFile
from zhibu_web.pages.member_acts import found
from zhibu_web.visit import MemberVisit

router = APIRouter(prefix="/me/record")


@router.get("")
async def show_record(visit: MemberVisit) -> HTMLResponse:
    """Show the record with its history."""
    gateway = await visit.gateway()
    file = await found(gateway.get("/v1/me/record", MemberFile), MemberFile())
    branches = sorted({one.branch_id for one in file.decisions} - {""})
    names = await asyncio.gather(*(visit.services.directory.name(gateway, one) for one in branches))
    return await visit.page(
        "account/record.html",
        record=file.record,
        decisions=file.decisions,
        branches=dict(zip(branches, names, strict=True)),
    )
