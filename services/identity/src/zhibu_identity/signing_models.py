"""The tables of cards and certificates, as SQLAlchemy knows them; migrations 0007 and 0011 make them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, DateTime, LargeBinary, SmallInteger, Table, Text

from zhibu_identity.models import metadata

_INSTANT: Final = DateTime(timezone=True)

card = Table(
    "card",
    metadata,
    Column("card_id", LargeBinary, primary_key=True),
    Column("county_code", Text),
    Column("eid_id", Text),
    Column("member_id", Text),
    Column("key_id", Text),
    Column("content_digest", LargeBinary),
    Column("is_current", Boolean),
    Column("issued_at", _INSTANT),
    Column("expires_at", _INSTANT),
    Column("revoked_at", _INSTANT),
)
card_revocation = Table(
    "card_revocation",
    metadata,
    Column("card_digest", LargeBinary, primary_key=True),
    Column("revoked_at", _INSTANT),
    Column("expires_at", _INSTANT),
)
certificate = Table(
    "certificate",
    metadata,
    Column("certificate_id", Text, primary_key=True),
    Column("county_code", Text),
    Column("organisation_id", Text),
    Column("member_id", Text),
    Column("account_id", Text),
    Column("grant_id", Text),
    Column("serial_number", Text),
    Column("key_digest", LargeBinary),
    Column("certificate", LargeBinary),
    Column("starts_at", _INSTANT),
    Column("ends_at", _INSTANT),
    Column("revoked_at", _INSTANT),
    Column("revocation_reason", SmallInteger),
    Column("issued_by_member_id", Text),
    Column("version", BigInteger),
)
certificate_request = Table(
    "certificate_request",
    metadata,
    Column("certificate_id", Text, primary_key=True),
    Column("county_code", Text),
    Column("organisation_id", Text),
    Column("member_id", Text),
    Column("account_id", Text),
    Column("grant_id", Text),
    Column("key_digest", LargeBinary),
    Column("public_key", LargeBinary),
    Column("state", SmallInteger),
    Column("requested_by_member_id", Text),
    Column("requested_at", _INSTANT),
    Column("expires_at", _INSTANT),
    Column("decided_at", _INSTANT),
    Column("version", BigInteger),
)
revocation_list = Table(
    "revocation_list",
    metadata,
    Column("only_one", Boolean, primary_key=True),
    Column("number", BigInteger),
    Column("list", LargeBinary),
    Column("made_at", _INSTANT),
    Column("is_stale", Boolean),
)
