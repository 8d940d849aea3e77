"""Who gets an e-ID when a county issues them to everybody of its records.

Whoever uses the platform has a status that a branch has recorded: applicants to the Party and activists learn on it,
members take part. A record that no branch has given a status to yet is left for later.
"""

from __future__ import annotations

from typing import Final

# Applicant, activist, development target, probationary, full, under probation; the numbers are the contract's.
ENTITLING_STATUSES: Final = (1, 2, 3, 4, 5, 6)


def is_complete(*, real_name: str, resident_number: str, telephone: str) -> bool:
    """Say whether a record holds what an e-ID needs: it says who somebody is, and codes to log in go to the telephone."""
    return bool(real_name and resident_number and telephone)
