"""Changes of the tree as the contract shows them."""

from __future__ import annotations

from zhibu.branches.v1 import organisation_change_pb2 as pb
from zhibu.branches.v1.organisation_pb2 import ORGANISATION_LEVEL_UNSPECIFIED, OrganisationLevel
from zhibu_kit.errors import find_kind
from zhibu_kit.etag import etag_of

from zhibu_branches.change_rows import OrganisationChange
from zhibu_branches.member_events import day, instant
from zhibu_branches.rules.tree import Level


def change_message(change: OrganisationChange, language: str) -> pb.OrganisationChange:
    """What callers see of a change, done or planned."""
    failure = find_kind(change.failure_reason) if change.failure_reason else None
    new = change.creation
    return pb.OrganisationChange(
        organisation_change_id=change.organisation_change_id,
        kind=pb.OrganisationChangeKind.ValueType(change.kind),
        organisation_id=change.organisation_id,
        effective_date=day(change.effective_date),
        state=pb.OrganisationChangeState.ValueType(change.state),
        new_name=change.new_name,
        target_id=change.target_id,
        member_count=change.member_count,
        document_number=change.document_number,
        failure_reason=change.failure_reason,
        failure_message="" if failure is None else failure.text(language, {}),
        create_time=instant(change.create_time),
        etag=etag_of(change.version),
        new_level=ORGANISATION_LEVEL_UNSPECIFIED if new is None else OrganisationLevel.ValueType(new.level),
        new_organisation_id="" if new is None else new.code,
        term_years=new.term_years if new is not None and new.level is Level.BRANCH else 0,
    )
