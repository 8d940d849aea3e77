"""The authority's own: its key in the key database, and the list of revoked certificates that Keycloak fetches."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Role, Transaction
from zhibu_kit.scope import Scope

from zhibu_identity.certificates.authority import (
    Authority,
    AuthorityUnfitError,
    RevokedEntry,
    SigningKey,
    make_authority,
    make_list,
    read_authority,
)
from zhibu_identity.certificates.records import RevocationReason
from zhibu_identity.errors import AUTHORITY_MISSING
from zhibu_identity.keys.signing import AuthorityKey
from zhibu_identity.keys.vault import Vault
from zhibu_identity.parts import Parts
from zhibu_identity.signing_models import certificate, revocation_list

log = logging.getLogger("zhibu.identity.authority")

# A list is good for a day; after an hour the next one is signed.
MADE_ANEW_AFTER: Final = timedelta(hours=1)
DEVELOPMENT_NAME: Final = "Zhibu development certificate authority"
_REASONS: Final = {
    RevocationReason.NONE: x509.ReasonFlags.unspecified,
    RevocationReason.KEY_LOST: x509.ReasonFlags.key_compromise,
    RevocationReason.KEY_COMPROMISED: x509.ReasonFlags.key_compromise,
    RevocationReason.OFFICE_ENDED: x509.ReasonFlags.cessation_of_operation,
    RevocationReason.SUPERSEDED: x509.ReasonFlags.superseded,
}


async def get_authority(vault: Vault) -> Authority:
    """Return the authority.

    Raises:
        ServiceError: AUTHORITY_MISSING when none was imported.
    """
    found = await vault.signing.find_authority()
    if found is None:
        raise AUTHORITY_MISSING()
    key = serialization.load_der_private_key(found.private_key, password=None)
    assert isinstance(key, SigningKey), "it was read and checked when it was imported"
    return Authority(certificate=x509.load_der_x509_certificate(found.certificate), key=key)


async def import_authority(vault: Vault, pem: bytes, *, now: datetime) -> bool:
    """Keep certificate and key as the authority; false when there is one already.

    Raises:
        AuthorityUnfitError: when they cannot be an authority's.
    """
    return await _put(vault, read_authority(pem, now=now), now=now)


async def ensure_development_authority(vault: Vault, file: str, *, now: datetime) -> None:
    """Take the authority that the stack has made, or make one, unless there is one; never in production."""
    if await vault.signing.find_authority() is not None:
        return
    if file:
        try:
            # A few hundred octets, once in the life of an installation.
            await import_authority(vault, Path(file).read_bytes(), now=now)  # noqa: ASYNC240
        except (OSError, AuthorityUnfitError) as error:
            log.warning("The development authority cannot be read", extra={"fields": {"because": str(error)}})
        return
    await _put(vault, make_authority(name=DEVELOPMENT_NAME, now=now), now=now)


async def current_list(parts: Parts) -> bytes:
    """Return the list of revoked certificates, DER; from the commit of a revocation on, the revoked one is on it.

    Raises:
        ServiceError: AUTHORITY_MISSING when none was imported.
    """
    now = parts.clock.now()
    async with parts.database.transaction(Scope.none()) as transaction:
        row = await transaction.one_or_none(select(revocation_list))
    if row is not None and row.list is not None and not row.is_stale and row.made_at > now - MADE_ANEW_AFTER:
        return row.list
    authority = await get_authority(parts.vault)
    async with parts.database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        await transaction.execute(insert(revocation_list).values(only_one=True, is_stale=True).on_conflict_do_nothing())
        # Revocations under way are committed first, and those that come later say anew that the list is out of date.
        locked = await transaction.one(select(revocation_list).with_for_update())
        entries = await _entries(transaction, now=now)
        made = make_list(authority, entries, number=locked.number + 1, now=now)
        await transaction.execute(
            update(revocation_list).values(number=locked.number + 1, list=made, made_at=now, is_stale=False)
        )
    return made


async def _entries(transaction: Transaction, *, now: datetime) -> list[RevokedEntry]:
    rows = await transaction.all(
        select(certificate.c.serial_number, certificate.c.revoked_at, certificate.c.revocation_reason)
        .where(certificate.c.revoked_at.is_not(None), certificate.c.ends_at > now)
        .order_by(certificate.c.revoked_at)
    )
    return [
        RevokedEntry(
            serial_number=int(row.serial_number, 16),
            revoked_at=row.revoked_at.astimezone(UTC),
            reason=_REASONS[RevocationReason(row.revocation_reason)],
        )
        for row in rows
    ]


async def _put(vault: Vault, authority: Authority, *, now: datetime) -> bool:
    stored = AuthorityKey(
        certificate=authority.certificate.public_bytes(serialization.Encoding.DER),
        private_key=authority.key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
    return await vault.signing.put_authority(
        stored,
        not_before=authority.certificate.not_valid_before_utc,
        not_after=authority.certificate.not_valid_after_utc,
        now=now,
    )
