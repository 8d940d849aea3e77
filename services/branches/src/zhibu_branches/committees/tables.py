"""Tables of committees."""

from typing import Final

from sqlalchemy import BigInteger, Column, Date, DateTime, Integer, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from zhibu_branches.models import metadata

committee: Final = Table(
    "committee",
    metadata,
    Column("committee_id", Text, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("county_code", Text, nullable=False),
    Column("source", SmallInteger, nullable=False),
    Column("document_number", Text, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("term_end_date", Date, nullable=False),
    Column("end_date", Date),
    Column("seats", ARRAY(SmallInteger), nullable=False),
    Column("warned_months", SmallInteger),
    Column("warning_count", Integer, nullable=False),
    Column("next_warning_date", Date),
    Column("version", BigInteger, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("update_time", DateTime(timezone=True), nullable=False),
)

committee_post: Final = Table(
    "committee_post",
    metadata,
    Column("post_id", Text, primary_key=True),
    Column("committee_id", Text, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("county_code", Text, nullable=False),
    Column("member_id", Text, nullable=False),
    Column("post", SmallInteger, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date),
    Column("end_reason", SmallInteger),
    Column("document_number", Text, nullable=False),
    Column("end_document_number", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("update_time", DateTime(timezone=True), nullable=False),
)
