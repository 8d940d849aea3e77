"""The kit's own tables, as the files of sql/ make them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, LargeBinary, MetaData, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

KIT: Final = MetaData()

outbox: Final = Table(
    "kit_outbox",
    KIT,
    Column("position", BigInteger, primary_key=True),
    Column("event_id", Text, nullable=False),
    Column("shard", SmallInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("county_code", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("traceparent", Text, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("published_at", DateTime(timezone=True)),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", DateTime(timezone=True)),
)

inbox: Final = Table(
    "kit_inbox",
    KIT,
    Column("consumer", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("received_at", DateTime(timezone=True), nullable=False),
)

inbox_version: Final = Table(
    "kit_inbox_version",
    KIT,
    Column("consumer", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

dead_letter: Final = Table(
    "kit_dead_letter",
    KIT,
    Column("dead_letter_id", Text, primary_key=True),
    Column("consumer", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("failed_at", DateTime(timezone=True), nullable=False),
    Column("replay_requested_at", DateTime(timezone=True)),
    Column("replayed_at", DateTime(timezone=True)),
)

request: Final = Table(
    "kit_request",
    KIT,
    Column("caller", Text, primary_key=True),
    Column("method", Text, primary_key=True),
    Column("request_id", Text, primary_key=True),
    Column("body_hash", LargeBinary, nullable=False),
    Column("response", LargeBinary),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

audit: Final = Table(
    "kit_audit",
    KIT,
    Column("audit_id", Text, primary_key=True),
    Column("sequence", BigInteger),
    Column("chain_hash", LargeBinary),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("member_id", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("offices", ARRAY(Text), nullable=False),
    Column("organisation_id", Text, nullable=False),
    Column("county_code", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("subjects_count", Integer, nullable=False),
    Column("subjects_commitment", LargeBinary),
    Column("commitment_salt", LargeBinary),
    Column("request_id", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
)

audit_head: Final = Table(
    "kit_audit_head",
    KIT,
    Column("only_row", Boolean, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("chain_hash", LargeBinary, nullable=False),
    Column("fed_sequence", BigInteger, nullable=False),
)

audit_subject: Final = Table(
    "kit_audit_subject",
    KIT,
    Column("audit_id", Text, primary_key=True),
    Column("commitment", LargeBinary, primary_key=True),
    Column("subject_id", Text),
    Column("salt", LargeBinary),
)

organisation: Final = Table(
    "kit_organisation",
    KIT,
    Column("organisation_id", Text, primary_key=True),
    Column("parent_id", Text, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("county_code", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("virtual", Boolean, nullable=False),
)

grant: Final = Table(
    "kit_grant",
    KIT,
    Column("grant_id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("member_id", Text, nullable=False),
    Column("office", Text, nullable=False),
    Column("organisation_id", Text, nullable=False),
    Column("county_code", Text, nullable=False),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True)),
    Column("revoked", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
)
