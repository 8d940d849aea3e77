"""Tables of the inbox and of the notices that go out by SMS."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, MetaData, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata: Final = MetaData()

inbox_item: Final = Table(
    "inbox_item",
    metadata,
    Column("inbox_item_id", Text, primary_key=True),
    Column("member_id", Text, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("template", Text, nullable=False),
    Column("parameters", JSONB, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("topic", Text, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("read_time", DateTime(timezone=True)),
)

inbox_unread: Final = Table(
    "inbox_unread",
    metadata,
    Column("member_id", Text, primary_key=True),
    Column("unread_count", Integer, nullable=False),
)

notice_preference: Final = Table(
    "notice_preference",
    metadata,
    Column("member_id", Text, primary_key=True),
    Column("not_in_inbox", ARRAY(SmallInteger), nullable=False),
    Column("not_by_sms", ARRAY(SmallInteger), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("update_time", DateTime(timezone=True), nullable=False),
)

silent_member: Final = Table(
    "silent_member",
    metadata,
    Column("member_id", Text, primary_key=True),
    Column("urgent_too", Boolean, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
)

notice_settings: Final = Table(
    "notice_settings",
    metadata,
    Column("county_code", Text, primary_key=True),
    Column("sms_kinds", ARRAY(SmallInteger), nullable=False),
    Column("quiet_from_hour", SmallInteger, nullable=False),
    Column("quiet_until_hour", SmallInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("update_time", DateTime(timezone=True), nullable=False),
)

notice_month: Final = Table(
    "notice_month",
    metadata,
    Column("county_code", Text, primary_key=True),
    Column("month", Text, primary_key=True),
    Column("message_count", Integer, nullable=False),
    Column("segment_count", Integer, nullable=False),
)

notice_sms: Final = Table(
    "notice_sms",
    metadata,
    Column("notice_sms_id", Text, primary_key=True),
    Column("county_code", Text, nullable=False),
    Column("member_id", Text, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("template", Text, nullable=False),
    Column("parameters", JSONB, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("former_version", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("attempt_count", Integer, nullable=False),
    Column("segment_count", SmallInteger, nullable=False),
    Column("not_before", DateTime(timezone=True), nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("state_time", DateTime(timezone=True), nullable=False),
)

notice_sms_part: Final = Table(
    "notice_sms_part",
    metadata,
    Column("notice_sms_id", Text, primary_key=True),
    Column("part", SmallInteger, primary_key=True),
    Column("smsc_message_id", Text, nullable=False),
)
