"""Tables of foundings."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from zhibu_branches.models import metadata

founding_kinds: Final = Table(
    "founding_kinds",
    metadata,
    Column("county_code", Text, primary_key=True),
    Column("kinds", JSONB, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("update_time", DateTime(timezone=True), nullable=False),
)

founding: Final = Table(
    "founding",
    metadata,
    Column("founding_id", Text, primary_key=True),
    Column("county_code", Text, nullable=False),
    Column("organisation_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("initiator_member_id", Text, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("cosigner_count", Integer, nullable=False),
    Column("full_member_count", Integer, nullable=False),
    Column("branch_id", Text),
    Column("refusal_note", Text, nullable=False),
    Column("expire_time", DateTime(timezone=True), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("state_version", BigInteger, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("update_time", DateTime(timezone=True), nullable=False),
)

founding_cosigner: Final = Table(
    "founding_cosigner",
    metadata,
    Column("founding_id", Text, primary_key=True),
    Column("member_id", Text, primary_key=True),
    Column("county_code", Text, nullable=False),
    Column("full_member", Boolean, nullable=False),
    Column("sign_time", DateTime(timezone=True), nullable=False),
)
