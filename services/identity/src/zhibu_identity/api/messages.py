"""From records to the contract's messages. In lists, numbers are shortened to their last four characters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from zhibu.identity.v1 import application_pb2, application_service_pb2, county_settings_service_pb2, eid_pb2, grant_pb2
from zhibu_kit.errors import EN
from zhibu_kit.etag import etag_of
from zhibu_kit.offices import OFFICES

from zhibu_identity.applications.batches import Batch, ItemState
from zhibu_identity.applications.cases import CaseView
from zhibu_identity.applications.records import Application, Details
from zhibu_identity.county_settings import CountySettings
from zhibu_identity.eids.records import Eid, Holder
from zhibu_identity.events import timestamp
from zhibu_identity.grants.records import Grant
from zhibu_identity.rules.application import living_claim

LAST_SHOWN: Final = 4


def application_message(
    record: Application, details: Details, *, now: datetime, whole: bool
) -> application_pb2.Application:
    """Return an application as clerks see it, whole or for a list."""
    claim = living_claim(record.claim, now)
    birth_date = details.birth_date
    return application_pb2.Application(
        application_id=record.application_id,
        organisation_id=record.organisation_id,
        case_number=record.case_number,
        state=application_pb2.ApplicationState.ValueType(record.state),
        real_name=details.real_name,
        resident_number=details.resident_number if whole else details.resident_number[-LAST_SHOWN:],
        telephone=details.telephone if whole else details.telephone[-LAST_SHOWN:],
        branch_id=record.branch_id,
        findings=[application_pb2.Finding.ValueType(finding) for finding in record.findings],
        claimed_by_member_id=claim.member_id if claim else "",
        claim_expire_time=optional_timestamp(claim.expires_at if claim else None),
        question=details.question if whole else "",
        answer=details.answer if whole else "",
        refusal_reason=application_pb2.RefusalReason.ValueType(record.refusal_reason),
        refusal_note=details.refusal_note if whole else "",
        eid_id=record.eid_id or "",
        submit_time=timestamp(record.submitted_at),
        update_time=timestamp(record.updated_at),
        undo_expire_time=optional_timestamp(record.undo_expires_at),
        etag=etag_of(record.version),
        membership_claim=application_pb2.MembershipClaim.ValueType(record.membership_claim),
        birth_date=birth_date.isoformat() if birth_date and whole else "",
    )


def case_message(view: CaseView) -> application_pb2.Case:
    """Return a case as its applicant sees it."""
    record = view.application
    return application_pb2.Case(
        case_number=record.case_number,
        state=application_pb2.ApplicationState.ValueType(record.state),
        question=view.details.question if view.shows_question else "",
        refusal_reason=application_pb2.RefusalReason.ValueType(record.refusal_reason if view.shows_refusal else 0),
        refusal_note=view.details.refusal_note if view.shows_refusal else "",
        steps=[
            application_pb2.CaseStep(
                state=application_pb2.ApplicationState.ValueType(step.state), step_time=timestamp(step.step_at)
            )
            for step in view.steps
        ],
        eid_number=view.eid_number,
        activation_sent_to_telephone=view.activation_sent_to_telephone,
        organisation_id=record.organisation_id,
        help_telephone=view.help_telephone,
    )


def eid_message(record: Eid, holder: Holder) -> eid_pb2.Eid:
    """Return an e-ID; numbers are shortened everywhere."""
    return eid_pb2.Eid(
        eid_id=record.eid_id,
        member_id=record.member_id,
        eid_number=holder.eid_number,
        organisation_id=record.organisation_id,
        state=eid_pb2.EidState.ValueType(record.state),
        real_name=holder.real_name,
        telephone=holder.telephone[-LAST_SHOWN:],
        branch_id=record.branch_id,
        issue_time=timestamp(record.issued_at),
        revoke_time=optional_timestamp(record.revoked_at),
        revocation_reason=eid_pb2.RevocationReason.ValueType(record.revocation_reason),
        etag=etag_of(record.version),
        activation_expire_time=optional_timestamp(record.activation_expires_at),
        resident_number=holder.resident_number[-LAST_SHOWN:],
    )


def grant_message(record: Grant, *, real_name: str) -> grant_pb2.Grant:
    """Return a grant."""
    return grant_pb2.Grant(
        grant_id=record.grant_id,
        member_id=record.member_id,
        office=record.office,
        organisation_id=record.organisation_id,
        start_time=timestamp(record.starts_at),
        end_time=optional_timestamp(record.ended_at or record.ends_at),
        ended=record.ended_at is not None,
        real_name=real_name,
        etag=etag_of(record.version),
        made_by_member_id=record.made_by_member_id or "",
    )


def office_messages(language: str) -> Sequence[grant_pb2.Office]:
    """Return every office, named in a language."""
    return [
        grant_pb2.Office(
            name=office.name,
            display_name=office.en if language == EN else office.zh,
            levels=office.levels,
            permissions=sorted(office.permissions),
        )
        for office in OFFICES.values()
    ]


def batch_message(batch: Batch) -> application_service_pb2.ApprovalBatch:
    """Return a batch."""
    return application_service_pb2.ApprovalBatch(
        approval_batch_id=batch.approval_batch_id,
        organisation_id=batch.organisation_id,
        total_count=len(batch.items),
        approved_count=batch.count(ItemState.APPROVED),
        failed_count=batch.count(ItemState.FAILED),
        done=batch.done,
        items=[
            application_service_pb2.ApprovalBatchItem(
                application_id=item.application_id,
                state=application_service_pb2.ApprovalBatchItemState.ValueType(item.state),
                failure_reason=item.failure_reason,
            )
            for item in batch.items
        ],
        create_time=timestamp(batch.made_at),
    )


def settings_message(organisation_id: str, settings: CountySettings) -> county_settings_service_pb2.CountySettings:
    """Return the switches of a county."""
    return county_settings_service_pb2.CountySettings(
        organisation_id=organisation_id,
        applications_open=settings.applications_open,
        activation_by_telephone=settings.activation_by_telephone,
        help_telephone=settings.help_telephone,
        help_hours=settings.help_hours,
    )


def optional_timestamp(instant: datetime | None) -> Timestamp | None:
    """Return an instant as messages carry it, None where there is none."""
    return None if instant is None else timestamp(instant)
