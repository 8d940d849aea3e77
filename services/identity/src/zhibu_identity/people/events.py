"""The events about people, corrections and recoveries. No personal data."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from zhibu.identity.v1 import erasure_service_pb2, person_pb2, recovery_service_pb2
from zhibu.identity.v1 import roster_events_pb2 as pb

from zhibu_identity.events import timestamp

if TYPE_CHECKING:
    from zhibu_identity.erasures.records import Erasure
    from zhibu_identity.people.corrections import Correction
    from zhibu_identity.people.records import PersonRecord
    from zhibu_identity.recoveries.records import Recovery


def telephone_changed(person: PersonRecord, *, replaced: bool) -> pb.TelephoneChanged:
    """Return what is told about another telephone: not which."""
    return pb.TelephoneChanged(
        member_id=person.member_id,
        county_code=person.county_code,
        version=person.version,
        change_time=timestamp(person.updated_at),
        replaced=replaced,
    )


def person_erased(person: PersonRecord, *, at: datetime) -> pb.PersonErased:
    """Return what is told about a person whose key was destroyed."""
    return pb.PersonErased(
        member_id=person.member_id,
        county_code=person.county_code,
        version=person.version,
        change_time=timestamp(at),
    )


def erasure_changed(erasure: Erasure, *, at: datetime) -> pb.ErasureChanged:
    """Return what is told about an erasure: not why."""
    return pb.ErasureChanged(
        member_id=erasure.member_id,
        county_code=erasure.county_code,
        state=erasure_service_pb2.ErasureState.ValueType(erasure.state),
        version=erasure.version,
        change_time=timestamp(at),
        requested_by_member_id=erasure.proposed_by_member_id,
    )


def correction_changed(correction: Correction, *, branch_id: str) -> pb.CorrectionChanged:
    """Return what is told about a correction."""
    return pb.CorrectionChanged(
        correction_id=correction.correction_id,
        member_id=correction.member_id,
        county_code=correction.county_code,
        branch_id=branch_id,
        state=person_pb2.CorrectionState.ValueType(correction.state),
        version=correction.version,
        change_time=timestamp(correction.updated_at),
    )


def recovery_changed(recovery: Recovery, *, at: datetime) -> pb.RecoveryChanged:
    """Return what is told about a recovery."""
    return pb.RecoveryChanged(
        recovery_id=recovery.recovery_id,
        member_id=recovery.member_id,
        county_code=recovery.county_code,
        state=recovery_service_pb2.RecoveryState.ValueType(recovery.state),
        version=recovery.version,
        change_time=timestamp(at),
    )
