"""Whom an audit row is about: a commitment for each of them beside the row, and what opens it until it is destroyed.

A subject's commitment is SHA-256 over 16 random bytes and the identifier; the row itself, and with it the chain, holds
SHA-256 over the sorted commitments of all. When a member's key is destroyed, identifier and salt are emptied, and the
commitment stays: the row can still be checked and tells of nobody.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from zhibu_kit.transaction import Transaction

SALT_BYTES: Final = 16
# Of rows whose commitments are checked with one statement: about a second's work.
CHECKED_TOGETHER: Final = 100_000

# Takes the row's identifier and `Openings.columns`.
INSERT_SUBJECTS: Final = """
insert into kit_audit_subject (audit_id, commitment, subject_id, salt)
select $1::text, * from unnest($2::bytea[], $3::text[], $4::bytea[])"""
_FORGET: Final = "select kit_forget_subjects($1)"
# In the database, so that a row about very many need not be read. Whoever was forgotten has no salt.
_WRONG: Final = """
select sequence from kit_audit left join (
  select audit_id, count(*) as subjects, sha256(string_agg(commitment, ''::bytea order by commitment)) as whole,
    bool_and(salt is null or commitment = sha256(salt || convert_to(subject_id, 'UTF8'))) as open
  from kit_audit_subject where audit_id = any ($1) group by audit_id
) as found using (audit_id)
where audit_id = any ($1) and (subjects, whole, open) is distinct from (subjects_count, subjects_commitment, true)
order by sequence"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Openings:
    """The commitments of a row, sorted, and what opens each of them."""

    columns: tuple[list[bytes], list[str], list[bytes]]

    @classmethod
    def of(cls, subjects: Sequence[str]) -> Self:
        """Draw salts for identifiers."""
        drawn = secrets.token_bytes(SALT_BYTES * len(subjects))
        salts = [drawn[at : at + SALT_BYTES] for at in range(0, len(drawn), SALT_BYTES)]
        opened = sorted(
            (commitment_of(salt, subject), subject, salt) for salt, subject in zip(salts, subjects, strict=True)
        )
        commitments, subject_ids, sorted_salts = (list(column) for column in zip(*opened, strict=True))
        return cls(columns=(commitments, subject_ids, sorted_salts))

    @property
    def commitment(self) -> bytes:
        """What stands in the row."""
        return whole_commitment(self.columns[0])


def commitment_of(salt: bytes, subject_id: str) -> bytes:
    """Return the commitment to one subject."""
    return hashlib.sha256(salt + subject_id.encode()).digest()


def whole_commitment(commitments: Iterable[bytes]) -> bytes:
    """Return the commitment to all subjects of a row."""
    return hashlib.sha256(b"".join(sorted(commitments))).digest()


async def forget_subject(transaction: Transaction, *subject_ids: str) -> None:
    """Destroy what opens the commitments to members: for the transaction that follows the end of their keys."""
    await (await transaction.raw()).execute(_FORGET, list(subject_ids))


async def find_wrong_commitments(transaction: Transaction, rows: Sequence[Any]) -> list[int]:
    """Return the numbers of audit rows whose commitment does not follow from what lies beside them, as the relay."""
    wrong: list[int] = []
    raw = await transaction.raw()
    for audit_ids in _in_parts(rows):
        wrong += [row["sequence"] for row in await raw.fetch(_WRONG, audit_ids)]
    return wrong


def _in_parts(rows: Sequence[Any]) -> Iterable[list[str]]:
    """Return the identifiers of rows that have openings. Rows of before kit 0004 have one salt, which nobody can open."""
    part: list[str] = []
    subjects = 0
    for row in rows:
        if row.subjects_commitment is None or row.commitment_salt is not None:
            continue
        if part and subjects + row.subjects_count > CHECKED_TOGETHER:
            yield part
            part, subjects = [], 0
        part.append(row.audit_id)
        subjects += row.subjects_count
    if part:
        yield part
