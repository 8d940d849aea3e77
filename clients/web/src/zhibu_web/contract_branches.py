"""What the gateway answers about branches: memberships, records, committees, the survey, foundings, changes of the tree."""

from __future__ import annotations

from datetime import datetime

from zhibu_web.contract import ListPage, Message

PHYSICAL = "MEMBERSHIP_KIND_PHYSICAL"
VIRTUAL = "MEMBERSHIP_KIND_VIRTUAL"
FULL = "PARTY_STATUS_FULL"
ANSWER_REPORTED = "SURVEY_ANSWER_STATE_REPORTED"
REQUEST_OPEN = "MEMBERSHIP_REQUEST_STATE_OPEN"
COLLECTING = "FOUNDING_STATE_COLLECTING"
FOUNDING_SUBMITTED = "FOUNDING_STATE_SUBMITTED"


class Membership(Message):
    membership_id: str = ""
    member_id: str = ""
    branch_id: str = ""
    branch_name: str = ""
    kind: str = "MEMBERSHIP_KIND_UNSPECIFIED"
    start_date: str = ""
    end_date: str = ""
    end_reason: str = "MEMBERSHIP_END_REASON_UNSPECIFIED"
    acts: tuple[str, ...] = ()
    county_code: str = ""
    etag: str = ""


class MembershipPage(Message):
    memberships: tuple[Membership, ...] = ()
    next_page_token: str = ""


class MemberRecord(Message):
    member_id: str = ""
    county_code: str = ""
    branch_id: str = ""
    status: str = "PARTY_STATUS_UNSPECIFIED"
    status_date: str = ""
    applied_date: str = ""
    admitted_date: str = ""
    confirmed_date: str = ""
    occupation: str = "OCCUPATION_CATEGORY_UNSPECIFIED"
    standing: str = "STANDING_UNSPECIFIED"
    end_date: str = ""
    etag: str = ""
    memberships: tuple[Membership, ...] = ()


class MemberDecision(Message):
    decision_id: str = ""
    member_id: str = ""
    branch_id: str = ""
    decision_date: str = ""
    status: str = "PARTY_STATUS_UNSPECIFIED"
    occupation: str = "OCCUPATION_CATEGORY_UNSPECIFIED"
    standing: str = "STANDING_UNSPECIFIED"
    document_number: str = ""
    document_id: str = ""
    source: str = "DECISION_SOURCE_UNSPECIFIED"
    made_by_member_id: str = ""
    create_time: datetime | None = None
    restore_reason: str = "RESTORE_REASON_UNSPECIFIED"


class MemberFile(Message):
    """A record with its history."""

    record: MemberRecord = MemberRecord()
    decisions: tuple[MemberDecision, ...] = ()


class MembershipRequest(Message):
    membership_request_id: str = ""
    member_id: str = ""
    branch_id: str = ""
    branch_name: str = ""
    state: str = "MEMBERSHIP_REQUEST_STATE_UNSPECIFIED"
    reason: str = ""
    refusal_note: str = ""
    create_time: datetime | None = None
    etag: str = ""


class MembershipRequestPage(ListPage):
    requests: tuple[MembershipRequest, ...] = ()


class MembershipRight(Message):
    act: str = ""
    display_name: str = ""
    by_physical: bool = False
    by_virtual: bool = False
    full_members_only: bool = False
    article: str = ""


class PostHolder(Message):
    post_id: str = ""
    member_id: str = ""
    post: str = "POST_UNSPECIFIED"
    start_date: str = ""
    end_date: str = ""
    end_reason: str = "POST_END_REASON_UNSPECIFIED"


class Committee(Message):
    committee_id: str = ""
    branch_id: str = ""
    branch_name: str = ""
    source: str = "COMMITTEE_SOURCE_UNSPECIFIED"
    document_number: str = ""
    start_date: str = ""
    term_end_date: str = ""
    end_date: str = ""
    holders: tuple[PostHolder, ...] = ()
    vacancies: tuple[str, ...] = ()
    months_left: int = 0
    etag: str = ""


class SurveyAnswer(Message):
    member_id: str = ""
    branch_id: str = ""
    has_device: bool = False
    has_network: bool = False
    state: str = "SURVEY_ANSWER_STATE_UNSPECIFIED"
    answer_time: datetime | None = None
    etag: str = ""


class OnlineRate(Message):
    branch_id: str = ""
    member_count: int = 0
    answered_count: int = 0
    equipped_count: int = 0
    rate_permille: int = 0
    state: str = "ONLINE_STATE_UNSPECIFIED"
    online_date: str = ""
    threshold_permille: int = 0
    warn_below_permille: int = 0


class RatePoint(Message):
    date: str = ""
    rate_permille: int = 0
    member_count: int = 0
    equipped_count: int = 0
    state: str = "ONLINE_STATE_UNSPECIFIED"


class RateHistory(Message):
    """The rate of a branch now, and the days on which it changed."""

    rate: OnlineRate = OnlineRate()
    history: tuple[RatePoint, ...] = ()


class FoundingKind(Message):
    kind: str = ""
    display_name_zh: str = ""
    display_name_en: str = ""
    active: bool = False


class Cosigner(Message):
    member_id: str = ""
    full_member: bool = False
    sign_time: datetime | None = None


class Founding(Message):
    founding_id: str = ""
    organisation_id: str = ""
    county_code: str = ""
    name: str = ""
    kind: str = ""
    purpose: str = ""
    initiator_member_id: str = ""
    state: str = "FOUNDING_STATE_UNSPECIFIED"
    cosigner_count: int = 0
    full_member_count: int = 0
    required_count: int = 0
    signed_by_me: bool = False
    initiated_by_me: bool = False
    branch_id: str = ""
    refusal_note: str = ""
    expire_time: datetime | None = None
    create_time: datetime | None = None
    etag: str = ""


class FoundingPage(ListPage):
    foundings: tuple[Founding, ...] = ()
    total_count: int = 0


class FoundingFile(Message):
    """A founding with those who signed it, as far as the caller may know them."""

    founding: Founding = Founding()
    cosigners: tuple[Cosigner, ...] = ()


class OrganisationVersion(Message):
    organisation_id: str = ""
    parent_id: str = ""
    name: str = ""
    active: bool = False
    start_date: str = ""
    end_date: str = ""
    successor_id: str = ""
