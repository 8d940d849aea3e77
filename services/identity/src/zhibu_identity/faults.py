"""From what a rule found to what the caller is told."""

from __future__ import annotations

from typing import Final

from zhibu_kit.errors import ErrorKind

from zhibu_identity import errors
from zhibu_identity.certificates.authority import RequestFault
from zhibu_identity.rules.application import ActFault
from zhibu_identity.rules.certificate import DecideFault
from zhibu_identity.rules.erasure import ErasureFault
from zhibu_identity.rules.grant import GrantFault
from zhibu_identity.rules.real_name import RealNameFault
from zhibu_identity.rules.recovery import RecoveryFault
from zhibu_identity.rules.resident_number import ResidentNumberFault
from zhibu_identity.rules.telephone import TelephoneFault

REAL_NAME: Final[dict[RealNameFault, ErrorKind]] = {
    RealNameFault.LENGTH: errors.REAL_NAME_LENGTH,
    RealNameFault.CHARACTER: errors.REAL_NAME_CHARACTER,
    RealNameFault.PRIVATE_CHARACTER: errors.REAL_NAME_PRIVATE_CHARACTER,
    RealNameFault.DOT: errors.REAL_NAME_DOT,
}
RESIDENT_NUMBER: Final[dict[ResidentNumberFault, ErrorKind]] = {
    ResidentNumberFault.SHAPE: errors.RESIDENT_NUMBER_SHAPE,
    ResidentNumberFault.CHECK_CHARACTER: errors.RESIDENT_NUMBER_CHECK_CHARACTER,
    ResidentNumberFault.BIRTH_DATE: errors.RESIDENT_NUMBER_BIRTH_DATE,
    ResidentNumberFault.AREA: errors.RESIDENT_NUMBER_AREA,
    ResidentNumberFault.SYNTHETIC: errors.SYNTHETIC_RESIDENT_NUMBER,
    ResidentNumberFault.UNDER_AGE: errors.UNDER_AGE,
}
TELEPHONE: Final[dict[TelephoneFault, ErrorKind]] = {
    TelephoneFault.PREFIX: errors.TELEPHONE_PREFIX,
    TelephoneFault.SYNTHETIC: errors.SYNTHETIC_TELEPHONE,
}
ACT: Final[dict[ActFault, ErrorKind]] = {
    ActFault.ALREADY_DECIDED: errors.APPLICATION_ALREADY_DECIDED,
    ActFault.NOT_APPROVED: errors.APPLICATION_NOT_APPROVED,
    ActFault.NO_QUESTION: errors.NO_QUESTION_OPEN,
    ActFault.TOO_LATE_TO_UNDO: errors.UNDO_TOO_LATE,
    ActFault.CLAIMED_BY_ANOTHER: errors.CLAIMED_BY_ANOTHER,
    ActFault.FINDINGS_NOT_CHECKED: errors.FINDINGS_NOT_CHECKED,
}
# The field of the request at fault, where there is one.
GRANT: Final[dict[GrantFault, tuple[str | None, ErrorKind]]] = {
    GrantFault.UNKNOWN_OFFICE: ("office", errors.OFFICE_UNKNOWN),
    GrantFault.WRONG_LEVEL: ("office", errors.OFFICE_WRONG_LEVEL),
    GrantFault.NOT_HELD: (None, errors.OFFICE_NOT_HELD),
    GrantFault.TERM_ENDED: ("end_date", errors.TERM_ENDED),
    GrantFault.TERM_REVERSED: ("end_date", errors.TERM_REVERSED),
    GrantFault.TERM_TOO_LONG: ("end_date", errors.TERM_TOO_LONG),
    GrantFault.OTHER_COUNTY: ("eid_number", errors.EID_UNKNOWN),
}
REQUEST: Final[dict[RequestFault, ErrorKind]] = {
    RequestFault.UNREADABLE: errors.SIGNING_REQUEST_UNREADABLE,
    RequestFault.KEY_UNFIT: errors.SIGNING_REQUEST_KEY,
    RequestFault.NOT_PROVEN: errors.SIGNING_REQUEST_UNPROVEN,
}
CERTIFICATE: Final[dict[DecideFault, ErrorKind]] = {
    DecideFault.ENDED: errors.CERTIFICATE_REQUEST_ENDED,
    DecideFault.EXPIRED: errors.CERTIFICATE_REQUEST_EXPIRED,
}
ERASURE: Final[dict[ErasureFault, ErrorKind]] = {
    ErasureFault.OWN: errors.OWN_RECORD,
    ErasureFault.SAME_OFFICER: errors.OTHER_OFFICER_NEEDED,
    ErasureFault.ENDED: errors.ERASURE_ENDED,
    ErasureFault.EXPIRED: errors.ERASURE_EXPIRED,
}
RECOVERY: Final[dict[RecoveryFault, ErrorKind]] = {
    RecoveryFault.OWN: errors.OWN_RECORD,
    RecoveryFault.SAME_OFFICER: errors.OTHER_OFFICER_NEEDED,
    RecoveryFault.ENDED: errors.RECOVERY_ENDED,
    RecoveryFault.EXPIRED: errors.RECOVERY_EXPIRED,
}
