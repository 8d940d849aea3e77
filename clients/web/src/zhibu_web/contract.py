"""What the gateway answers, as far as the pages show it: the messages of proto/ in their JSON form.

Enums stay strings: a value that this version does not know must not break a page.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

WAITING = "APPLICATION_STATE_SUBMITTED"
QUESTIONED = "APPLICATION_STATE_QUESTIONED"
APPROVED = "APPLICATION_STATE_APPROVED"
ISSUED = "APPLICATION_STATE_ISSUED"
REFUSED = "APPLICATION_STATE_REFUSED"
WITHDRAWN = "APPLICATION_STATE_WITHDRAWN"

REFUSAL_REASONS = (
    "REFUSAL_REASON_DETAILS_DO_NOT_MATCH",
    "REFUSAL_REASON_NOT_KNOWN_TO_BRANCH",
    "REFUSAL_REASON_ALREADY_HAS_EID",
    "REFUSAL_REASON_OTHER_COUNTY",
    "REFUSAL_REASON_OTHER",
)
MEMBERSHIP_CLAIMS = (
    "MEMBERSHIP_CLAIM_FULL_MEMBER",
    "MEMBERSHIP_CLAIM_PROBATIONARY_MEMBER",
    "MEMBERSHIP_CLAIM_APPLICANT",
)
REVOCATION_REASONS = (
    "REVOCATION_REASON_LEFT",
    "REVOCATION_REASON_DIED",
    "REVOCATION_REASON_COMPROMISED",
    "REVOCATION_REASON_WRONGLY_ISSUED",
    "REVOCATION_REASON_OTHER",
)
EID_ISSUED = "EID_STATE_ISSUED"
EID_ACTIVE = "EID_STATE_ACTIVE"
EID_REVOKED = "EID_STATE_REVOKED"


class Message(BaseModel):
    """A message of the contract; what is missing has its default, as in proto3, and what is new is left out."""

    # A value of an enum that the gateway does not know either comes as its number.
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore", coerce_numbers_to_str=True
    )


class Organisation(Message):
    organisation_id: str = ""
    parent_id: str = ""
    level: str = "ORGANISATION_LEVEL_UNSPECIFIED"
    name: str = ""
    county_code: str = ""
    active: bool = False
    ancestor_ids: tuple[str, ...] = ()
    child_count: int = 0
    virtual: bool = False
    start_date: str = ""
    successor_id: str = ""
    term_years: int = 0
    etag: str = ""


class CountySettings(Message):
    organisation_id: str = ""
    applications_open: bool = False
    activation_by_telephone: bool = False
    help_telephone: str = ""
    help_hours: str = ""


class TelephoneProof(Message):
    telephone_proof_id: str = ""
    expire_time: datetime | None = None
    resend_after_s: int = 60


class Receipt(Message):
    case_number: str = ""
    case_code: str = ""
    state: str = ""


class CaseStep(Message):
    state: str = ""
    step_time: datetime | None = None


class Case(Message):
    case_number: str = ""
    state: str = ""
    question: str = ""
    refusal_reason: str = ""
    refusal_note: str = ""
    steps: tuple[CaseStep, ...] = ()
    eid_number: str = ""
    activation_sent_to_telephone: bool = False
    organisation_id: str = ""
    help_telephone: str = ""


class Application(Message):
    application_id: str = ""
    organisation_id: str = ""
    case_number: str = ""
    state: str = ""
    real_name: str = ""
    resident_number: str = ""
    telephone: str = ""
    branch_id: str = ""
    findings: tuple[str, ...] = ()
    claimed_by_member_id: str = ""
    claim_expire_time: datetime | None = None
    question: str = ""
    answer: str = ""
    refusal_reason: str = ""
    refusal_note: str = ""
    eid_id: str = ""
    submit_time: datetime | None = None
    update_time: datetime | None = None
    undo_expire_time: datetime | None = None
    etag: str = ""
    membership_claim: str = "MEMBERSHIP_CLAIM_UNSPECIFIED"
    birth_date: str = ""


class ListPage(Message):
    """A page of a list, with the token of the next one."""

    next_page_token: str = ""


class ApplicationPage(Message):
    applications: tuple[Application, ...] = ()
    next_page_token: str = ""
    total_count: int = 0


class ApprovalBatchItem(Message):
    application_id: str = ""
    state: str = ""
    failure_reason: str = ""


class ApprovalBatch(Message):
    approval_batch_id: str = ""
    organisation_id: str = ""
    total_count: int = 0
    approved_count: int = 0
    failed_count: int = 0
    done: bool = False
    items: tuple[ApprovalBatchItem, ...] = ()
    create_time: datetime | None = None


class Eid(Message):
    eid_id: str = ""
    member_id: str = ""
    eid_number: str = ""
    organisation_id: str = ""
    state: str = ""
    real_name: str = ""
    telephone: str = ""
    branch_id: str = ""
    issue_time: datetime | None = None
    revoke_time: datetime | None = None
    revocation_reason: str = ""
    etag: str = ""
    activation_expire_time: datetime | None = None
    resident_number: str = ""


class EidPage(Message):
    eids: tuple[Eid, ...] = ()
    next_page_token: str = ""


class Activation(Message):
    activation_code: str = ""
    eid_number: str = ""
    expire_time: datetime | None = None


class Grant(Message):
    grant_id: str = ""
    member_id: str = ""
    office: str = ""
    organisation_id: str = ""
    start_time: datetime | None = None
    end_time: datetime | None = None
    ended: bool = False
    real_name: str = ""
    etag: str = ""
    made_by_member_id: str = ""


class GrantPage(Message):
    grants: tuple[Grant, ...] = ()
    next_page_token: str = ""


class Office(Message):
    name: str = ""
    display_name: str = ""
    levels: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()


class Redeemed(Message):
    eid_number: str = ""
    activation_code: str = ""
    office: str = ""
    organisation_id: str = ""
