"""The tables of the log."""

from typing import Final

from sqlalchemy import ARRAY, BigInteger, Boolean, Column, DateTime, Integer, LargeBinary, MetaData, Table, Text

metadata: Final = MetaData()

log_head: Final = Table(
    "log_head",
    metadata,
    Column("only_row", Boolean, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("stopped_because", Text, nullable=False),
)

log_origin: Final = Table(
    "log_origin",
    metadata,
    Column("serial", Integer, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("first_index", BigInteger, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

entry: Final = Table(
    "entry",
    metadata,
    Column("entry_index", BigInteger, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("member_id", Text, nullable=False),
    Column("organisation_id", Text, nullable=False),
    Column("county_codes", ARRAY(Text), nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
)

entry_subject: Final = Table(
    "entry_subject",
    metadata,
    Column("entry_index", BigInteger, primary_key=True),
    Column("commitment", LargeBinary, primary_key=True),
    Column("subject_id", Text),
    Column("salt", LargeBinary),
    Column("county_codes", ARRAY(Text), nullable=False),
)

erased_subject: Final = Table(
    "erased_subject",
    metadata,
    Column("subject_id", Text, primary_key=True),
    Column("erased_at", DateTime(timezone=True), nullable=False),
)

lane: Final = Table(
    "lane",
    metadata,
    Column("lane", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("chain_hash", LargeBinary, nullable=False),
    Column("anchored", Boolean, nullable=False),
    Column("ahead_sequence", BigInteger, nullable=False),
    Column("ahead_chain_hash", LargeBinary),
    Column("seen_sequence", BigInteger, nullable=False),
    Column("stopped_at", DateTime(timezone=True)),
    Column("incident_id", Text),
    Column("asked_version", BigInteger, nullable=False),
    Column("asked_count", Integer, nullable=False),
    Column("asked_at", DateTime(timezone=True)),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)

incident: Final = Table(
    "incident",
    metadata,
    Column("incident_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("from_sequence", BigInteger, nullable=False),
    Column("to_sequence", BigInteger, nullable=False),
    Column("chain_hash", LargeBinary),
    Column("anchored", Boolean, nullable=False),
    Column("checkpoint", Text, nullable=False),
    Column("statement", Text, nullable=False),
    Column("first_signed_by", Text, nullable=False),
    Column("first_account_id", Text, nullable=False),
    Column("second_signed_by", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("closed_at", DateTime(timezone=True)),
    Column("entry_index", BigInteger),
    Column("version", BigInteger, nullable=False),
)

witness: Final = Table(
    "witness",
    metadata,
    Column("name", Text, primary_key=True),
    Column("serial", Integer, primary_key=True),
    Column("verifier_key", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("cosigned_at", DateTime(timezone=True)),
)
