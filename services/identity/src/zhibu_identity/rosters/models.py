"""The tables of rosters and of e-IDs for many people; migrations/0003, 0006, 0008, 0012 and 0013 make them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, LargeBinary, SmallInteger, Table, Text

from zhibu_identity.models import metadata

_INSTANT: Final = DateTime(timezone=True)

roster = Table(
    "roster",
    metadata,
    Column("roster_id", Text, primary_key=True),
    Column("county_code", Text),
    Column("organisation_id", Text),
    Column("made_by_member_id", Text),
    Column("state", SmallInteger),
    Column("file_digest", LargeBinary),
    Column("file_name", LargeBinary),
    Column("layout", LargeBinary),
    Column("chosen", LargeBinary),
    Column("sheet_name", LargeBinary),
    Column("failure", Text),
    Column("row_count", Integer),
    Column("checked_count", Integer),
    Column("new_count", Integer),
    Column("changed_count", Integer),
    Column("same_count", Integer),
    Column("gone_count", Integer),
    Column("problem_count", Integer),
    Column("application_match_count", Integer),
    Column("committed_count", Integer),
    Column("committed_by_member_id", Text),
    Column("settled", Boolean),
    Column("leased_until", _INSTANT),
    Column("lease", BigInteger),
    Column("due_at", _INSTANT),
    Column("attempts", Integer),
    Column("created_at", _INSTANT),
    Column("committed_at", _INSTANT),
    Column("updated_at", _INSTANT),
    Column("version", BigInteger),
    Column("notice_count", Integer),
)
roster_piece = Table(
    "roster_piece",
    metadata,
    Column("roster_id", Text, primary_key=True),
    Column("county_code", Text),
    Column("position", Integer, primary_key=True),
    Column("content", LargeBinary),
)
roster_row = Table(
    "roster_row",
    metadata,
    Column("roster_id", Text, primary_key=True),
    Column("county_code", Text),
    Column("position", Integer, primary_key=True),
    Column("row_number", Integer),
    Column("difference", SmallInteger),
    Column("application_match", Boolean),
    Column("member_id", Text),
    Column("missing_branch", Text),
    Column("missing_committee", Text),
    Column("branch_id", Text),
    Column("status", SmallInteger),
    Column("applied_date", Text),
    Column("admitted_date", Text),
    Column("confirmed_date", Text),
    Column("occupation", SmallInteger),
    Column("payload", LargeBinary),
    Column("details", LargeBinary),
    Column("person_version", BigInteger),
    Column("noticed", Boolean),
    Column("needs_no_eid", Boolean),
    Column("eid_real_name", LargeBinary),
)
roster_fact = Table(
    "roster_fact",
    metadata,
    Column("member_id", Text, primary_key=True),
    Column("county_code", Text),
    Column("status", SmallInteger),
    Column("applied_date", Text),
    Column("admitted_date", Text),
    Column("confirmed_date", Text),
    Column("occupation", SmallInteger),
)
eid_batch = Table(
    "eid_batch",
    metadata,
    Column("eid_batch_id", Text, primary_key=True),
    Column("county_code", Text),
    Column("organisation_id", Text),
    Column("made_by_member_id", Text),
    Column("total_count", Integer),
    Column("issued_count", Integer),
    Column("failed_count", Integer),
    Column("leased_until", _INSTANT),
    Column("lease", BigInteger),
    Column("due_at", _INSTANT),
    Column("attempts", Integer),
    Column("created_at", _INSTANT),
    Column("finished_at", _INSTANT),
    Column("skipped_count", Integer),
)
eid_batch_item = Table(
    "eid_batch_item",
    metadata,
    Column("eid_batch_id", Text, primary_key=True),
    Column("county_code", Text),
    Column("position", Integer, primary_key=True),
    Column("member_id", Text),
    Column("eid_id", Text),
    Column("eid_number", LargeBinary),
    Column("state", SmallInteger),
    Column("failure_reason", Text),
    Column("attempts", Integer),
    Column("due_at", _INSTANT),
)
