"""The queue as a file for spreadsheets. Numbers are shortened as in lists: the file leaves the platform."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import select
from zhibu_kit import tables
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.db import Transaction
from zhibu_kit.errors import EN
from zhibu_kit.paging import Page
from zhibu_kit.scope import Scope

from zhibu_identity.applications.records import Application, Details, list_applications, open_details
from zhibu_identity.models import application
from zhibu_identity.parts import Parts
from zhibu_identity.rules.application import State
from zhibu_identity.rules.findings import Finding
from zhibu_identity.rules.spreadsheet import BYTE_ORDER_MARK, row_of

ROWS_PER_CHUNK: Final = 200
# A county has some tens of thousands of members; a file beyond this would open nowhere.
MOST_ROWS: Final = 200_000
_LAST_SHOWN: Final = 4

_HEADINGS: Final = (
    ("受理号", "Case number"),
    ("姓名", "Name"),
    ("公民身份号码（后四位）", "Resident number (last four)"),
    ("手机号码（后四位）", "Telephone (last four)"),
    ("状态", "State"),
    ("本人自述", "Says of themselves"),
    ("意向党支部", "Branch wanted"),
    ("核查提示", "Findings"),
    ("申请时间", "Filed"),
    ("更新时间", "Changed"),
)
_STATES: Final = {
    State.SUBMITTED: ("待审核", "submitted"),
    State.QUESTIONED: ("待补充", "questioned"),
    State.APPROVED: ("已通过", "approved"),
    State.ISSUED: ("已发放", "issued"),
    State.REFUSED: ("未通过", "refused"),
    State.WITHDRAWN: ("已撤回", "withdrawn"),
}
_CLAIMS: Final = (
    ("", ""),
    ("正式党员", "full member"),
    ("预备党员", "probationary member"),
    ("入党申请人或积极分子", "applicant"),
)
_FINDINGS: Final = {
    Finding.DUPLICATE_IN_COUNTY: ("本县重复", "duplicate in the county"),
    Finding.DUPLICATE_IN_OTHER_COUNTY: ("他县重复", "duplicate in another county"),
    Finding.TELEPHONE_SHARED: ("手机号码与他人相同", "telephone shared"),
    Finding.RARE_CHARACTERS: ("含生僻字", "rare characters"),
    Finding.ON_ROSTER: ("花名册上有此人", "on a roster"),
    Finding.ROSTER_DIFFERS: ("花名册上姓名不同", "another name on the roster"),
}


async def list_member_ids(
    transaction: Transaction, organisation_id: str, *, states: Collection[State]
) -> Sequence[str]:
    """Return the people whom an export shows, for the audit row that stands before the first byte leaves."""
    statement = select(application.c.member_id).where(application.c.organisation_id == organisation_id)
    if states:
        statement = statement.where(application.c.state.in_([int(state) for state in states]))
    return [row.member_id for row in await transaction.all(statement.limit(MOST_ROWS))]


async def export_rows(
    parts: Parts, organisation_id: str, *, scope: Scope, states: Collection[State], language: str
) -> AsyncGenerator[bytes]:
    """Yield the file in pieces, each read in a transaction of its own."""
    in_language = 1 if language == EN else 0
    yield (BYTE_ORDER_MARK + row_of(heading[in_language] for heading in _HEADINGS)).encode()
    after: tuple[str, ...] | None = None
    for _ in range(MOST_ROWS // ROWS_PER_CHUNK):
        async with parts.database.transaction(scope) as transaction:
            page = Page(size=ROWS_PER_CHUNK, after=after)
            found = await list_applications(transaction, organisation_id, states=states, page=page)
            rows = found[:ROWS_PER_CHUNK]
            branches = await _branch_names(transaction, {row.branch_id for row in rows if row.branch_id})
        if rows:
            keys = await parts.vault.member_keys([row.member_id for row in rows], rows[0].county_code)
            lines = [
                _line(row, open_details(row, keys.get(row.member_id)), branches=branches, in_language=in_language)
                for row in rows
            ]
            yield "".join(lines).encode()
        if len(found) <= ROWS_PER_CHUNK:
            return
        after = (rows[-1].application_id,)


def _line(record: Application, details: Details, *, branches: Mapping[str, str], in_language: int) -> str:
    return row_of(
        (
            record.case_number,
            details.real_name,
            details.resident_number[-_LAST_SHOWN:],
            details.telephone[-_LAST_SHOWN:],
            _STATES[record.state][in_language],
            _CLAIMS[record.membership_claim][in_language],
            branches.get(record.branch_id, ""),
            "; ".join(_FINDINGS[finding][in_language] for finding in record.findings),
            f"{record.submitted_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
            f"{record.updated_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
        )
    )


async def _branch_names(transaction: Transaction, branch_ids: Collection[str]) -> dict[str, str]:
    table = tables.organisation
    rows = await transaction.all(
        select(table.c.organisation_id, table.c.name).where(table.c.organisation_id.in_(branch_ids))
    )
    return {row.organisation_id: row.name for row in rows}
