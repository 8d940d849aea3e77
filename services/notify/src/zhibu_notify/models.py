"""Tables of what was sent."""

from typing import Final

from sqlalchemy import Boolean, Column, DateTime, Integer, LargeBinary, MetaData, SmallInteger, Table, Text

metadata: Final = MetaData()

delivery: Final = Table(
    "delivery",
    metadata,
    Column("delivery_id", Text, primary_key=True),
    Column("caller", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("number_hash", LargeBinary, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("attempt_count", Integer, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("state_time", DateTime(timezone=True), nullable=False),
    Column("accept_time", DateTime(timezone=True)),
)

delivery_part: Final = Table(
    "delivery_part",
    metadata,
    Column("delivery_id", Text, primary_key=True),
    Column("part", SmallInteger, primary_key=True),
    Column("smsc_message_id", Text, nullable=False),
)

delivery_receipt: Final = Table(
    "delivery_receipt",
    metadata,
    Column("smsc_message_id", Text, primary_key=True),
    Column("delivered", Boolean, nullable=False),
    Column("receive_time", DateTime(timezone=True), nullable=False),
)
