"""Events as branches and identity publish them, and what a member is told of each."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message
from integration.notify.world import BRANCH, COUNTY, TOWNSHIP, VIRTUAL_BRANCH, grant, instant
from zhibu.branches.v1 import branches_events_pb2 as branches
from zhibu.branches.v1 import committee_pb2, founding_pb2, membership_pb2, membership_service_pb2, organisation_pb2
from zhibu.identity.v1 import (
    application_pb2,
    certificate_service_pb2,
    eid_pb2,
    person_pb2,
    recovery_service_pb2,
    roster_events_pb2,
)
from zhibu.identity.v1 import identity_events_pb2 as identity
from zhibu_kit.ids import new_ulid

_PHYSICAL = membership_pb2.MEMBERSHIP_KIND_PHYSICAL
_VIRTUAL = membership_pb2.MEMBERSHIP_KIND_VIRTUAL
ROSTER = membership_pb2.DECISION_SOURCE_ROSTER
_RECORDED = membership_pb2.DECISION_SOURCE_RECORDED


def organisation(organisation_id: str, name: str, *, parent_id: str, version: int = 1) -> branches.OrganisationChanged:
    is_county = organisation_id.isdecimal()
    return branches.OrganisationChanged(
        organisation_id=organisation_id,
        parent_id=parent_id,
        level=organisation_pb2.ORGANISATION_LEVEL_COUNTY if is_county else organisation_pb2.ORGANISATION_LEVEL_BRANCH,
        name=name,
        county_code=organisation_id[:6],
        active=True,
        version=version,
    )


def membership(member_id: str, **fields: Any) -> branches.MembershipChanged:
    given: dict[str, Any] = {"kind": _PHYSICAL, "active": True, "branch_id": BRANCH, **fields}
    return branches.MembershipChanged(
        membership_id=new_ulid(), member_id=member_id, county_code=COUNTY, version=1, change_time=instant(), **given
    )


def founding(state: founding_pb2.FoundingState.ValueType, *member_ids: str) -> branches.FoundingChanged:
    return branches.FoundingChanged(
        founding_id=new_ulid(),
        organisation_id=TOWNSHIP,
        county_code=COUNTY,
        initiator_member_id=member_ids[0] if member_ids else "",
        cosigner_member_ids=member_ids[1:],
        state=state,
        branch_id=VIRTUAL_BRANCH if state == founding_pb2.FOUNDING_STATE_APPROVED else "",
        version=1,
        change_time=instant(),
    )


def record(member_id: str, *, version: int = 1, **fields: Any) -> branches.MemberRecordChanged:
    given: dict[str, Any] = {"standing": membership_pb2.STANDING_PRESENT, "source": _RECORDED, **fields}
    return branches.MemberRecordChanged(
        member_id=member_id, county_code=COUNTY, branch_id=BRANCH, version=version, change_time=instant(), **given
    )


def application(state: application_pb2.ApplicationState.ValueType) -> identity.ApplicationChanged:
    return identity.ApplicationChanged(
        application_id=new_ulid(), county_code=COUNTY, state=state, version=1, change_time=instant()
    )


WAITS = application_pb2.APPLICATION_STATE_SUBMITTED


def of_member(member_id: str) -> list[tuple[Message, list[str]]]:
    """Events about a member, each with what the member is told."""
    same: dict[str, Any] = {"member_id": member_id, "county_code": COUNTY, "version": 1, "change_time": instant()}
    request = membership_service_pb2
    return [
        (membership(member_id), ["membership_began"]),
        (membership(member_id, source=ROSTER), []),
        (membership(member_id, kind=_VIRTUAL, branch_id=VIRTUAL_BRANCH), []),
        (membership(member_id, active=False, end_reason=membership_pb2.MEMBERSHIP_END_REASON_MOVED), []),
        (
            membership(member_id, kind=_VIRTUAL, active=False, end_reason=membership_pb2.MEMBERSHIP_END_REASON_REMOVED),
            ["membership_ended"],
        ),
        (
            membership(
                member_id, kind=_VIRTUAL, active=False, end_reason=membership_pb2.MEMBERSHIP_END_REASON_WITHDREW
            ),
            [],
        ),
        *(
            (
                branches.MembershipRequestChanged(
                    membership_request_id=new_ulid(), branch_id=VIRTUAL_BRANCH, state=state, **same
                ),
                told,
            )
            for state, told in (
                (request.MEMBERSHIP_REQUEST_STATE_ADMITTED, ["request_admitted"]),
                (request.MEMBERSHIP_REQUEST_STATE_REFUSED, ["request_refused"]),
                (request.MEMBERSHIP_REQUEST_STATE_LAPSED, ["request_lapsed"]),
                (request.MEMBERSHIP_REQUEST_STATE_WITHDRAWN, []),
            )
        ),
        (founding(founding_pb2.FOUNDING_STATE_APPROVED, member_id), ["founding_approved"]),
        (founding(founding_pb2.FOUNDING_STATE_REFUSED, "", member_id), ["founding_refused"]),
        (founding(founding_pb2.FOUNDING_STATE_WITHDRAWN, "", member_id), ["founding_withdrawn"]),
        (founding(founding_pb2.FOUNDING_STATE_WITHDRAWN, member_id), []),
        (founding(founding_pb2.FOUNDING_STATE_EXPIRED, member_id), ["founding_expired"]),
        (founding(founding_pb2.FOUNDING_STATE_COLLECTING, member_id), []),
        (record(member_id), ["record_changed"]),
        (record(member_id, version=2, source=ROSTER), []),
        (
            branches.PostChanged(
                post_id=new_ulid(), branch_id=BRANCH, post=committee_pb2.POST_YOUTH, active=True, **same
            ),
            ["post_given"],
        ),
        (
            branches.PostChanged(post_id=new_ulid(), branch_id=BRANCH, post=committee_pb2.POST_PUBLICITY, **same),
            ["post_ended"],
        ),
        # The office that comes with it is told instead.
        (
            branches.PostChanged(
                post_id=new_ulid(), branch_id=BRANCH, post=committee_pb2.POST_SECRETARY, active=True, **same
            ),
            [],
        ),
        (branches.SurveyAnswerReported(report_id=new_ulid(), branch_id=BRANCH, **same), ["survey_countersign"]),
        (identity.EidChanged(eid_id=new_ulid(), state=eid_pb2.EID_STATE_ISSUED, **same), []),
        (identity.EidChanged(eid_id=new_ulid(), state=eid_pb2.EID_STATE_ACTIVE, **same), ["eid_activated"]),
        (
            identity.EidChanged(
                eid_id=new_ulid(),
                state=eid_pb2.EID_STATE_REVOKED,
                revocation_reason=eid_pb2.REVOCATION_REASON_COMPROMISED,
                **same,
            ),
            ["eid_revoked"],
        ),
        (
            identity.EidChanged(
                eid_id=new_ulid(),
                state=eid_pb2.EID_STATE_REVOKED,
                revocation_reason=eid_pb2.REVOCATION_REASON_DIED,
                **same,
            ),
            [],
        ),
        *(
            (roster_events_pb2.CorrectionChanged(correction_id=new_ulid(), state=state, **same), told)
            for state, told in (
                (person_pb2.CORRECTION_STATE_DONE, ["correction_done"]),
                (person_pb2.CORRECTION_STATE_REFUSED, ["correction_refused"]),
                (person_pb2.CORRECTION_STATE_WITHDRAWN, []),
            )
        ),
        *(
            (roster_events_pb2.RecoveryChanged(recovery_id=new_ulid(), state=state, **same), told)
            for state, told in (
                (recovery_service_pb2.RECOVERY_STATE_WAITING, ["recovery_started"]),
                (recovery_service_pb2.RECOVERY_STATE_DONE, ["recovery_done"]),
                (recovery_service_pb2.RECOVERY_STATE_EXPIRED, ["recovery_ended"]),
            )
        ),
        *(
            (identity.CertificateChanged(certificate_id=new_ulid(), organisation_id=COUNTY, state=state, **same), told)
            for state, told in (
                (certificate_service_pb2.CERTIFICATE_STATE_WAITING, ["certificate_requested"]),
                (certificate_service_pb2.CERTIFICATE_STATE_ISSUED, ["certificate_issued"]),
                (certificate_service_pb2.CERTIFICATE_STATE_REVOKED, ["certificate_revoked"]),
                (certificate_service_pb2.CERTIFICATE_STATE_REFUSED, []),
                (certificate_service_pb2.CERTIFICATE_STATE_WITHDRAWN, []),
                (certificate_service_pb2.CERTIFICATE_STATE_EXPIRED, []),
            )
        ),
        (roster_events_pb2.TelephoneChanged(**same), ["telephone_changed"]),
        (grant(member_id, "county_clerk", COUNTY), ["office_granted"]),
        (grant(member_id, "branch_secretary", BRANCH, of_post=True), ["office_follows_post"]),
        (grant(member_id, "county_clerk", COUNTY, revoked=True, version=2), ["office_ended"]),
        (grant(member_id, "member", BRANCH), []),
    ]
