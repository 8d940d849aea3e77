"""Tables of the organisation tree."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, DateTime, MetaData, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

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
)
