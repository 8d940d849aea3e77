"""From records of people, corrections, recoveries and documents to the contract's messages."""

from __future__ import annotations

from collections.abc import Mapping

from zhibu.identity.v1 import document_service_pb2, eid_pb2, people_service_pb2, person_pb2
from zhibu.identity.v1 import erasure_service_pb2 as erasure_pb
from zhibu.identity.v1 import recovery_service_pb2 as recovery_pb
from zhibu_kit.etag import etag_of

from zhibu_identity.api.messages import LAST_SHOWN, optional_timestamp
from zhibu_identity.counts.sums import PeopleSums
from zhibu_identity.erasures.records import Erasure
from zhibu_identity.events import timestamp
from zhibu_identity.people.corrections import Correction, CorrectionText, current_value
from zhibu_identity.people.documents import Document
from zhibu_identity.people.lists import ListedPerson
from zhibu_identity.people.records import PersonDetails
from zhibu_identity.recoveries.records import Recovery
from zhibu_identity.rules.person import gender_of


def person_message(listed: ListedPerson, *, whole: bool) -> person_pb2.Person:
    """Return a person, whole or for a list."""
    record, details = listed.record, listed.details
    birth_date = details.birth_date
    message = person_pb2.Person(
        member_id=record.member_id,
        organisation_id=record.county_code,
        branch_id=record.branch_id,
        real_name=details.real_name,
        resident_number=details.resident_number if whole else details.resident_number[-LAST_SHOWN:],
        gender=person_pb2.Gender.ValueType(gender_of(details.resident_number)),
        telephone=details.telephone if whole else details.telephone[-LAST_SHOWN:],
        eid_id=listed.eid_id,
        eid_state=eid_pb2.EidState.ValueType(listed.eid_state),
        in_roster=record.in_roster,
        etag=etag_of(record.version),
    )
    if whole:
        message.birth_date = birth_date.isoformat() if birth_date else ""
        message.ethnicity = details.ethnicity
        message.education = person_pb2.Education.ValueType(details.education)
        message.work_unit = details.work_unit
        message.address = details.address
        message.eid_telephone = listed.eid_telephone
    return message


def correction_message(record: Correction, text: CorrectionText, *, details: PersonDetails) -> person_pb2.Correction:
    """Return a correction."""
    return person_pb2.Correction(
        correction_id=record.correction_id,
        member_id=record.member_id,
        field=person_pb2.PersonField.ValueType(record.field),
        current_value=current_value(record.field, details),
        wanted_value=text.wanted_value,
        reason=text.reason,
        state=person_pb2.CorrectionState.ValueType(record.state),
        reply_note=text.reply_note,
        create_time=timestamp(record.created_at),
        etag=etag_of(record.version),
        real_name=details.real_name,
    )


def sums_message(sums: PeopleSums) -> people_service_pb2.GetPeopleStatisticsResponse:
    """Return sums of people."""
    return people_service_pb2.GetPeopleStatisticsResponse(
        total_count=sums.total,
        by_age=_groups(sums.by_age),
        by_gender=_groups(sums.by_gender),
        by_education=_groups(sums.by_education),
        by_ethnicity=_groups(sums.by_ethnicity),
        as_of_time=optional_timestamp(sums.as_of),
        ungrouped_count=sums.ungrouped,
    )


def erasure_message(record: Erasure, *, real_name: str) -> erasure_pb.Erasure:
    """Return an erasure."""
    return erasure_pb.Erasure(
        member_id=record.member_id,
        real_name=real_name,
        reason=record.reason,
        state=erasure_pb.ErasureState.ValueType(record.state),
        proposed_by_member_id=record.proposed_by_member_id,
        decided_by_member_id=record.decided_by_member_id or "",
        create_time=timestamp(record.made_at),
        expire_time=timestamp(record.expires_at),
        etag=etag_of(record.version),
    )


def recovery_message(record: Recovery, *, real_name: str) -> recovery_pb.Recovery:
    """Return a recovery."""
    return recovery_pb.Recovery(
        recovery_id=record.recovery_id,
        eid_id=record.eid_id,
        member_id=record.member_id,
        real_name=real_name,
        kind=recovery_pb.RecoveryKind.ValueType(record.kind),
        reason=recovery_pb.RecoveryReason.ValueType(record.reason),
        state=recovery_pb.RecoveryState.ValueType(record.state),
        started_by_member_id=record.started_by_member_id,
        confirmed_by_member_id=record.confirmed_by_member_id or "",
        expire_time=timestamp(record.expires_at),
        # What is reserved becomes somebody's only when it is done.
        new_eid_id=(record.new_eid_id or "") if record.confirmed_by_member_id else "",
        etag=etag_of(record.version),
    )


def document_message(record: Document, *, file_name: str) -> document_service_pb2.Document:
    """Return a document."""
    return document_service_pb2.Document(
        document_id=record.document_id,
        member_id=record.member_id,
        file_name=file_name,
        content_type=record.content_type,
        size_bytes=record.size_bytes,
        create_time=timestamp(record.created_at),
        made_by_member_id=record.made_by_member_id,
    )


def _groups(counts: Mapping[str, int]) -> list[people_service_pb2.PeopleGroup]:
    return [people_service_pb2.PeopleGroup(key=key, count=count) for key, count in counts.items()]
