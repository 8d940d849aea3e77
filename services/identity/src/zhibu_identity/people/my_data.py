"""Everything that this service keeps about a member, as a file for the member."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, Table, select
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.db import Role, Transaction

from zhibu_identity.grants.records import as_province, as_role
from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.models import (
    application,
    application_step,
    correction,
    document,
    eid,
    member_place,
    member_post,
    office_grant,
    recovery,
)
from zhibu_identity.parts import Parts
from zhibu_identity.people.documents import open_file_name
from zhibu_identity.people.documents import record_of as document_of
from zhibu_identity.people.records import PersonRecord, open_details
from zhibu_identity.rosters.models import roster_fact
from zhibu_identity.signing_models import card, certificate, certificate_request

MOST_ROWS: Final = 1_000
# Digests and identifiers of what the member has in hand are no data about anybody.
_LEFT_OUT: Final = frozenset(
    {"card_id", "case_code_digest", "certificate", "content_digest", "key_digest", "public_key"}
)
# Sealed columns whose place is not named after the table that they stand in.
_PLACES: Final = {"recovery.new_eid_number": "eid.eid_number"}


async def collect_my_data(transaction: Transaction, parts: Parts, record: PersonRecord) -> bytes:
    """Return JSON with every row about a member, sealed values opened. The transaction sees the member's county."""
    key = await parts.vault.find_member_key(record.member_id, record.county_code)
    details = open_details(record.details, key)

    async def rows(table: Table, condition: ColumnElement[bool]) -> list[dict[str, Any]]:
        found = await transaction.all(
            select(table).where(condition).order_by(*table.primary_key.columns).limit(MOST_ROWS)
        )
        return [_opened(table, row, key) for row in found]

    member_id = record.member_id
    applications = await rows(application, application.c.member_id == member_id)
    case_ids = [one["application_id"] for one in applications]
    data: dict[str, Any] = {
        "made_at": _plain(parts.clock.now()),
        "person": {
            "member_id": member_id,
            "county": record.county_code,
            "branch": record.branch_id,
            "real_name": details.real_name,
            "resident_number": details.resident_number,
            "telephone": details.telephone,
            "ethnicity": details.ethnicity,
            "education": details.education,
            "work_unit": details.work_unit,
            "address": details.address,
            "in_roster": record.in_roster,
            "party_status": record.party_status,
            "standing": record.standing,
            "created_at": _plain(record.created_at),
            "updated_at": _plain(record.updated_at),
        },
        "eids": await rows(eid, eid.c.member_id == member_id),
        "applications": applications,
        "application_steps": await rows(application_step, application_step.c.application_id.in_(case_ids)),
        "corrections": await rows(correction, correction.c.member_id == member_id),
        "recoveries": await rows(recovery, recovery.c.member_id == member_id),
        "documents": await _documents(transaction, member_id, key),
        "roster_facts": await rows(roster_fact, roster_fact.c.member_id == member_id),
        "cards": await rows(card, card.c.member_id == member_id),
    }
    # Branches and offices may lie in other counties.
    async with as_province(transaction):
        data["memberships"] = await rows(member_place, member_place.c.member_id == member_id)
        data["posts"] = await rows(member_post, member_post.c.member_id == member_id)
        data["offices"] = await rows(office_grant, office_grant.c.member_id == member_id)
    async with as_role(transaction, Role.RELAY):
        data["certificate_requests"] = await rows(certificate_request, certificate_request.c.member_id == member_id)
        data["certificates"] = await rows(certificate, certificate.c.member_id == member_id)
    return orjson.dumps(data, option=orjson.OPT_INDENT_2)


async def _documents(transaction: Transaction, member_id: str, key: MemberKey | None) -> list[dict[str, Any]]:
    rows = await transaction.all(
        select(document).where(document.c.member_id == member_id).order_by(document.c.document_id).limit(MOST_ROWS)
    )
    return [
        {
            "document_id": one.document_id,
            "file_name": open_file_name(one, key),
            "content_type": one.content_type,
            "size_bytes": one.size_bytes,
            "created_at": _plain(one.created_at),
        }
        for one in map(document_of, rows)
    ]


def _opened(table: Table, row: Sequence[Any], key: MemberKey | None) -> dict[str, Any]:
    names = list(table.c.keys())
    return {
        str(name): _value(f"{table.name}.{name}", value, key)
        for name, value in zip(names, row, strict=True)
        if name not in _LEFT_OUT
    }


def _value(place: str, value: Any, key: MemberKey | None) -> Any:
    if isinstance(value, bytes):
        return "" if key is None else key.open(value, place=_PLACES.get(place, place))
    return _plain(value)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(SHANGHAI).isoformat(timespec="seconds")
        case date():
            return value.isoformat()
        case _:
            return value
