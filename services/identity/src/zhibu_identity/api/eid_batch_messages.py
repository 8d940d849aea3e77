"""From batches of e-IDs to the contract's messages."""

from __future__ import annotations

from typing import Final

from zhibu.identity.v1 import eid_batch_service_pb2 as pb
from zhibu_kit.errors import ErrorKind

from zhibu_identity import errors
from zhibu_identity.api.messages import optional_timestamp
from zhibu_identity.eid_batches.candidates import Preview
from zhibu_identity.eid_batches.items import Failure
from zhibu_identity.eid_batches.records import EidBatch
from zhibu_identity.eid_batches.sheets import SheetCount
from zhibu_identity.events import timestamp

_FAILURES: Final[dict[str, ErrorKind]] = {
    kind.reason: kind
    for kind in (
        errors.ACCOUNT_FOREIGN,
        errors.ACCOUNT_REFUSED,
        errors.ISSUING_FAILED,
        errors.MEMBER_KEY_GONE,
        errors.NUMBER_HAS_EID,
        errors.PERSON_CHANGED,
        errors.PERSON_INCOMPLETE,
    )
}


def batch_message(batch: EidBatch) -> pb.EidBatch:
    """Return a batch."""
    return pb.EidBatch(
        eid_batch_id=batch.eid_batch_id,
        organisation_id=batch.organisation_id,
        total_count=batch.total_count,
        issued_count=batch.issued_count,
        failed_count=batch.failed_count,
        skipped_count=batch.skipped_count,
        done=batch.done,
        create_time=timestamp(batch.created_at),
        finish_time=optional_timestamp(batch.finished_at),
    )


def failure_message(failure: Failure, *, language: str) -> pb.EidBatchFailure:
    """Return why somebody got none, with what to do."""
    kind = _FAILURES.get(failure.reason)
    return pb.EidBatchFailure(
        member_id=failure.member_id,
        reason=failure.reason,
        message=kind.text(language, {}) if kind else "",
    )


def preview_message(preview: Preview) -> pb.EidBatchPreview:
    """Return what a batch would do."""
    return pb.EidBatchPreview(
        entitled_count=preview.entitled_count,
        holder_count=preview.holder_count,
        revoked_count=preview.revoked_count,
        status_unknown_count=preview.status_unknown_count,
        running_eid_batch_id=preview.running_eid_batch_id,
    )


def sheet_message(sheet: SheetCount) -> pb.ActivationSheet:
    """Return what can be printed for a branch."""
    return pb.ActivationSheet(
        organisation_id=sheet.branch_id,
        organisation_name=sheet.branch_name,
        waiting_count=sheet.waiting_count,
        coded_count=sheet.coded_count,
    )
