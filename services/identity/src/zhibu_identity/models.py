"""The tables, as SQLAlchemy knows them; migrations/ makes them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)

metadata = MetaData()
_INSTANT: Final = DateTime(timezone=True)

county_sequence = Table(
    "county_sequence",
    metadata,
    Column("county_code", Text, primary_key=True),
    Column("kind", SmallInteger, primary_key=True),
    Column("year", SmallInteger, primary_key=True),
    Column("last", BigInteger),
)
county_settings = Table(
    "county_settings",
    metadata,
    Column("county_code", Text, primary_key=True),
    Column("applications_open", Boolean),
    Column("activation_by_telephone", Boolean),
    Column("help_telephone", Text),
    Column("help_hours", Text),
    Column("version", BigInteger),
)
telephone_proof = Table(
    "telephone_proof",
    metadata,
    Column("telephone_proof_id", Text, primary_key=True),
    Column("telephone_digest", LargeBinary),
    Column("code_digest", LargeBinary),
    Column("expires_at", _INSTANT),
    Column("wrong_count", SmallInteger),
    Column("token_digest", LargeBinary),
    Column("token_expires_at", _INSTANT),
    Column("used_at", _INSTANT),
)
rate_window = Table(
    "rate_window",
    metadata,
    Column("purpose", Text, primary_key=True),
    Column("subject", LargeBinary, primary_key=True),
    Column("began_at", _INSTANT),
    Column("last_at", _INSTANT),
    Column("event_count", Integer),
)
application = Table(
    "application",
    metadata,
    Column("application_id", Text, primary_key=True),
    Column("county_code", Text),
    Column("organisation_id", Text),
    Column("member_id", Text),
    Column("case_number", Text),
    Column("case_code_digest", LargeBinary),
    Column("state", SmallInteger),
    Column("real_name", LargeBinary),
    Column("resident_number", LargeBinary),
    Column("telephone", LargeBinary),
    Column("branch_id", Text),
    Column("membership_claim", SmallInteger),
    Column("consent_version", Text),
    Column("findings", ARRAY(SmallInteger)),
    Column("claimed_by_member_id", Text),
    Column("claim_expires_at", _INSTANT),
    Column("question", LargeBinary),
    Column("answer", LargeBinary),
    Column("refusal_reason", SmallInteger),
    Column("refusal_note", LargeBinary),
    Column("undo_reason", LargeBinary),
    Column("undo_expires_at", _INSTANT),
    Column("eid_id", Text),
    Column("submitted_at", _INSTANT),
    Column("updated_at", _INSTANT),
    Column("version", BigInteger),
)
application_step = Table(
    "application_step",
    metadata,
    Column("application_id", Text, primary_key=True),
    Column("county_code", Text),
    Column("version", BigInteger, primary_key=True),
    Column("state", SmallInteger),
    Column("step_at", _INSTANT),
    Column("by_member_id", Text),
)
eid = Table(
    "eid",
    metadata,
    Column("eid_id", Text, primary_key=True),
    Column("county_code", Text),
    Column("organisation_id", Text),
    Column("member_id", Text),
    Column("application_id", Text),
    Column("account_id", Text),
    Column("eid_number", LargeBinary),
    Column("real_name", LargeBinary),
    Column("resident_number", LargeBinary),
    Column("telephone", LargeBinary),
    Column("branch_id", Text),
    Column("state", SmallInteger),
    Column("issued_at", _INSTANT),
    Column("activated_at", _INSTANT),
    Column("activation_expires_at", _INSTANT),
    Column("revoked_at", _INSTANT),
    Column("revocation_reason", SmallInteger),
    Column("revocation_note", LargeBinary),
    Column("version", BigInteger),
)
account_task = Table(
    "account_task",
    metadata,
    Column("task_id", Text, primary_key=True),
    Column("county_code", Text),
    Column("kind", SmallInteger),
    Column("member_id", Text),
    Column("application_id", Text),
    Column("eid_id", Text),
    Column("account_id", Text),
    Column("eid_number", LargeBinary),
    Column("due_at", _INSTANT),
    Column("leased_until", _INSTANT),
    Column("attempts", Integer),
    Column("last_error", Text),
    Column("done_at", _INSTANT),
)
approval_batch = Table(
    "approval_batch",
    metadata,
    Column("approval_batch_id", Text, primary_key=True),
    Column("county_code", Text),
    Column("organisation_id", Text),
    Column("made_by_member_id", Text),
    Column("total_count", Integer),
    Column("made_at", _INSTANT),
)
approval_batch_item = Table(
    "approval_batch_item",
    metadata,
    Column("approval_batch_id", Text, primary_key=True),
    Column("county_code", Text),
    Column("position", Integer, primary_key=True),
    Column("application_id", Text),
    Column("etag", Text),
    Column("state", SmallInteger),
    Column("failure_reason", Text),
)
office_grant = Table(
    "office_grant",
    metadata,
    Column("grant_id", Text, primary_key=True),
    Column("county_code", Text),
    Column("organisation_id", Text),
    Column("member_id", Text),
    Column("member_county_code", Text),
    Column("account_id", Text),
    Column("office", Text),
    Column("starts_at", _INSTANT),
    Column("ends_at", _INSTANT),
    Column("ended_at", _INSTANT),
    Column("made_by_member_id", Text),
    Column("version", BigInteger),
)
bootstrap_code = Table(
    "bootstrap_code",
    metadata,
    Column("code_digest", LargeBinary, primary_key=True),
    Column("organisation_id", Text),
    Column("office", Text),
    Column("made_at", _INSTANT),
    Column("expires_at", _INSTANT),
    Column("case_number", Text),
    Column("finished_at", _INSTANT),
)
revocation = Table(
    "revocation",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("revoked_at", _INSTANT),
)
erasure = Table(
    "erasure",
    metadata,
    Column("member_id", Text, primary_key=True),
    Column("county_code", Text),
    Column("erased_at", _INSTANT),
)
