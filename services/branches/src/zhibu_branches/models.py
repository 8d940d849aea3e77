"""Tables of the organisation tree, of memberships and records, and of rosters."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Integer, MetaData, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata: Final = MetaData()

organisation: Final = Table(
    "organisation",
    metadata,
    Column("organisation_id", Text, primary_key=True),
    Column("parent_id", Text),
    Column("level", SmallInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_form", Text, nullable=False),
    Column("name_tokens", ARRAY(Text), nullable=False),
    Column("county_code", Text, nullable=False),
    Column("ancestor_ids", ARRAY(Text), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("update_time", DateTime(timezone=True), nullable=False),
    Column("virtual", Boolean, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("successor_id", Text),
    Column("term_years", SmallInteger, nullable=False),
)

# Written by triggers of the table above.
organisation_version: Final = Table(
    "organisation_version",
    metadata,
    Column("organisation_id", Text, primary_key=True),
    Column("start_date", Date, primary_key=True),
    Column("end_date", Date),
    Column("parent_id", Text),
    Column("name", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("successor_id", Text),
)

organisation_change: Final = Table(
    "organisation_change",
    metadata,
    Column("organisation_change_id", Text, primary_key=True),
    Column("kind", SmallInteger, nullable=False),
    Column("organisation_id", Text, nullable=False),
    Column("county_code", Text, nullable=False),
    Column("effective_date", Date, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("new_name", Text, nullable=False),
    Column("target_id", Text),
    Column("member_ids", ARRAY(Text), nullable=False),
    Column("member_count", Integer, nullable=False),
    Column("document_number", Text, nullable=False),
    Column("failure_reason", Text, nullable=False),
    Column("made_by_member_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("update_time", DateTime(timezone=True), nullable=False),
    Column("new_level", SmallInteger),
    Column("new_code", Text, nullable=False),
    Column("term_years", SmallInteger),
)

member_record: Final = Table(
    "member_record",
    metadata,
    Column("member_id", Text, primary_key=True),
    Column("county_code", Text, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("status_date", Date),
    Column("applied_date", Date),
    Column("admitted_date", Date),
    Column("confirmed_date", Date),
    Column("occupation", SmallInteger, nullable=False),
    Column("standing", SmallInteger, nullable=False),
    Column("end_date", Date),
    Column("virtual_count", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("update_time", DateTime(timezone=True), nullable=False),
)

membership: Final = Table(
    "membership",
    metadata,
    Column("membership_id", Text, primary_key=True),
    Column("member_id", Text, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("county_code", Text, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date),
    Column("end_reason", SmallInteger),
    Column("version", BigInteger, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("update_time", DateTime(timezone=True), nullable=False),
)

member_decision: Final = Table(
    "member_decision",
    metadata,
    Column("decision_id", Text, primary_key=True),
    Column("member_id", Text, nullable=False),
    Column("county_code", Text, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("decision_date", Date, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("occupation", SmallInteger, nullable=False),
    Column("standing", SmallInteger, nullable=False),
    Column("document_number", Text, nullable=False),
    Column("document_id", Text, nullable=False),
    Column("source", SmallInteger, nullable=False),
    Column("made_by_member_id", Text, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("restore_reason", SmallInteger, nullable=False),
)

membership_request: Final = Table(
    "membership_request",
    metadata,
    Column("membership_request_id", Text, primary_key=True),
    Column("member_id", Text, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("county_code", Text, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("refusal_note", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("update_time", DateTime(timezone=True), nullable=False),
)

membership_rights: Final = Table(
    "membership_rights",
    metadata,
    Column("county_code", Text, primary_key=True),
    Column("rights", JSONB, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("update_time", DateTime(timezone=True), nullable=False),
)

unplaced_member: Final = Table(
    "unplaced_member",
    metadata,
    Column("member_id", Text, primary_key=True),
    Column("county_code", Text, nullable=False),
    Column("eid_id", Text, nullable=False),
    Column("wanted_branch_id", Text, nullable=False),
    Column("issue_time", DateTime(timezone=True), nullable=False),
)

erased_member: Final = Table(
    "erased_member",
    metadata,
    Column("member_id", Text, primary_key=True),
    Column("erase_time", DateTime(timezone=True), nullable=False),
)

counted_act: Final = Table(
    "counted_act",
    metadata,
    Column("member_id", Text, primary_key=True),
    Column("act", Text, primary_key=True),
    Column("subject_id", Text, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("county_code", Text, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
)

# Rows of differences that a job folds together; the sum of `count` is what there is.
tally: Final = Table(
    "tally",
    metadata,
    Column("organisation_id", Text, nullable=False),
    Column("county_code", Text, nullable=False),
    Column("dimension", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("folded", Boolean, nullable=False),
)

roster_application: Final = Table(
    "roster_application",
    metadata,
    Column("roster_id", Text, primary_key=True),
    Column("organisation_id", Text, nullable=False),
    Column("county_code", Text, nullable=False),
    Column("total_count", Integer, nullable=False),
    Column("part_count", Integer, nullable=False),
    Column("applied_count", Integer, nullable=False),
    Column("unchanged_count", Integer, nullable=False),
    Column("conflict_count", Integer, nullable=False),
    Column("parts_done", Integer, nullable=False),
    Column("done", Boolean, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("update_time", DateTime(timezone=True), nullable=False),
)

roster_part: Final = Table(
    "roster_part",
    metadata,
    Column("roster_id", Text, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("county_code", Text, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
)

roster_conflict: Final = Table(
    "roster_conflict",
    metadata,
    Column("roster_id", Text, primary_key=True),
    Column("row_number", Integer, primary_key=True),
    Column("member_id", Text, primary_key=True),
    Column("county_code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("current_branch_id", Text, nullable=False),
)
