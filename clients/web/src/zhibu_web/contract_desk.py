"""What the gateway answers to officers: lists of people, rosters, batches, recoveries, sums, settings."""

from __future__ import annotations

from datetime import datetime

from zhibu_web.contract import ListPage, Message, Organisation
from zhibu_web.contract_branches import (
    Committee,
    FoundingKind,
    MemberRecord,
    MembershipRight,
    OnlineRate,
    OrganisationVersion,
    SurveyAnswer,
)
from zhibu_web.contract_people import Correction, Person

CHECKING = "ROSTER_STATE_CHECKING"
CHECKED = "ROSTER_STATE_CHECKED"
FAILED = "ROSTER_STATE_FAILED"
COMMITTING = "ROSTER_STATE_COMMITTING"
COMMITTED = "ROSTER_STATE_COMMITTED"
APPLIED = "ROSTER_STATE_APPLIED"
CANCELLED = "ROSTER_STATE_CANCELLED"


class OrganisationPage(Message):
    organisations: tuple[Organisation, ...] = ()
    next_page_token: str = ""


class PeoplePage(Message):
    people: tuple[Person, ...] = ()
    next_page_token: str = ""
    total_count: int = 0


class MemberPage(Message):
    members: tuple[MemberRecord, ...] = ()
    next_page_token: str = ""
    total_count: int = 0


class UnplacedMember(Message):
    member_id: str = ""
    wanted_branch_id: str = ""
    issue_time: datetime | None = None


class UnplacedPage(ListPage):
    members: tuple[UnplacedMember, ...] = ()


class CorrectionPage(ListPage):
    corrections: tuple[Correction, ...] = ()


class Document(Message):
    document_id: str = ""
    file_name: str = ""
    content_type: str = ""
    size_bytes: int = 0
    create_time: datetime | None = None
    made_by_member_id: str = ""


class Erasure(Message):
    done: bool = False
    proposed_by_member_id: str = ""
    expire_time: datetime | None = None


class WaitingErasure(Message):
    member_id: str = ""
    real_name: str = ""
    reason: str = ""
    proposed_by_member_id: str = ""
    create_time: datetime | None = None
    expire_time: datetime | None = None
    etag: str = ""


class ErasurePage(ListPage):
    erasures: tuple[WaitingErasure, ...] = ()


class ErasureCount(Message):
    waiting_count: int = 0


class Recovery(Message):
    recovery_id: str = ""
    eid_id: str = ""
    member_id: str = ""
    real_name: str = ""
    kind: str = "RECOVERY_KIND_UNSPECIFIED"
    reason: str = "RECOVERY_REASON_UNSPECIFIED"
    state: str = "RECOVERY_STATE_UNSPECIFIED"
    started_by_member_id: str = ""
    confirmed_by_member_id: str = ""
    expire_time: datetime | None = None
    new_eid_id: str = ""
    etag: str = ""


class RecoveryPage(ListPage):
    recoveries: tuple[Recovery, ...] = ()


class RecoveryConfirmed(Message):
    recovery: Recovery = Recovery()
    activation_code: str = ""
    eid_number: str = ""


class RosterColumn(Message):
    index: int = 0
    heading: str = ""
    field: str = "ROSTER_FIELD_UNSPECIFIED"
    samples: tuple[str, ...] = ()


class MissingBranch(Message):
    committee_name: str = ""
    committee_id: str = ""
    branch_name: str = ""
    row_count: int = 0


class Roster(Message):
    roster_id: str = ""
    organisation_id: str = ""
    file_name: str = ""
    sheet_name: str = ""
    sheet_names: tuple[str, ...] = ()
    heading_row: int = 0
    state: str = "ROSTER_STATE_UNSPECIFIED"
    columns: tuple[RosterColumn, ...] = ()
    row_count: int = 0
    checked_count: int = 0
    new_count: int = 0
    changed_count: int = 0
    same_count: int = 0
    gone_count: int = 0
    problem_count: int = 0
    application_match_count: int = 0
    missing_branches: tuple[MissingBranch, ...] = ()
    failure: str = ""
    failure_reason: str = ""
    committed_count: int = 0
    create_time: datetime | None = None
    commit_time: datetime | None = None
    etag: str = ""
    notice_count: int = 0


class RosterPage(Message):
    rosters: tuple[Roster, ...] = ()
    next_page_token: str = ""


class RosterProblem(Message):
    cell: str = ""
    field: str = "ROSTER_FIELD_UNSPECIFIED"
    reason: str = ""
    message: str = ""


class RosterFieldChange(Message):
    field: str = "ROSTER_FIELD_UNSPECIFIED"
    old_value: str = ""
    new_value: str = ""


class RosterRow(Message):
    row_number: int = 0
    member_id: str = ""
    difference: str = "ROSTER_DIFFERENCE_UNSPECIFIED"
    real_name: str = ""
    resident_number: str = ""
    branch_name: str = ""
    problems: tuple[RosterProblem, ...] = ()
    changes: tuple[RosterFieldChange, ...] = ()
    application_match: bool = False
    notices: tuple[RosterProblem, ...] = ()


class RosterRowPage(Message):
    rows: tuple[RosterRow, ...] = ()
    next_page_token: str = ""


class RosterApplication(Message):
    roster_id: str = ""
    total_count: int = 0
    applied_count: int = 0
    unchanged_count: int = 0
    conflict_count: int = 0
    done: bool = False
    update_time: datetime | None = None


class RosterConflict(Message):
    member_id: str = ""
    row_number: int = 0
    reason: str = ""
    message: str = ""
    branch_id: str = ""
    current_branch_id: str = ""


class RosterConflictPage(Message):
    conflicts: tuple[RosterConflict, ...] = ()
    next_page_token: str = ""


class EidBatchFailure(Message):
    member_id: str = ""
    reason: str = ""
    message: str = ""


class EidBatchFailurePage(Message):
    failures: tuple[EidBatchFailure, ...] = ()
    next_page_token: str = ""


class EidBatchPreview(Message):
    entitled_count: int = 0
    holder_count: int = 0
    revoked_count: int = 0
    status_unknown_count: int = 0
    running_eid_batch_id: str = ""


class EidBatch(Message):
    eid_batch_id: str = ""
    organisation_id: str = ""
    total_count: int = 0
    issued_count: int = 0
    failed_count: int = 0
    skipped_count: int = 0
    done: bool = False
    create_time: datetime | None = None
    finish_time: datetime | None = None

    @property
    def settled_count(self) -> int:
        """Of how many it is known what became of them."""
        return self.issued_count + self.failed_count + self.skipped_count


class ActivationSheet(Message):
    organisation_id: str = ""
    organisation_name: str = ""
    waiting_count: int = 0
    coded_count: int = 0


class ActivationSheetPage(Message):
    activation_sheets: tuple[ActivationSheet, ...] = ()
    next_page_token: str = ""


class EidBatchPage(Message):
    eid_batches: tuple[EidBatch, ...] = ()
    next_page_token: str = ""


class CommitteePage(ListPage):
    committees: tuple[Committee, ...] = ()


class SurveyPage(Message):
    answers: tuple[SurveyAnswer, ...] = ()
    next_page_token: str = ""
    rate: OnlineRate = OnlineRate()


class OnlineRatePage(Message):
    rates: tuple[OnlineRate, ...] = ()
    next_page_token: str = ""


class OrganisationChange(Message):
    organisation_change_id: str = ""
    kind: str = "ORGANISATION_CHANGE_KIND_UNSPECIFIED"
    organisation_id: str = ""
    effective_date: str = ""
    state: str = "ORGANISATION_CHANGE_STATE_UNSPECIFIED"
    new_name: str = ""
    target_id: str = ""
    member_count: int = 0
    document_number: str = ""
    failure_reason: str = ""
    failure_message: str = ""
    create_time: datetime | None = None
    etag: str = ""
    new_level: str = "ORGANISATION_LEVEL_UNSPECIFIED"
    new_organisation_id: str = ""


class OrganisationChangePage(Message):
    changes: tuple[OrganisationChange, ...] = ()
    next_page_token: str = ""


class OrganisationVersions(Message):
    versions: tuple[OrganisationVersion, ...] = ()


class Group(Message):
    """One bar of a chart; a count below zero is not told because it is small."""

    key: str = ""
    count: int = 0


class OrganisationSums(Message):
    organisation_id: str = ""
    name: str = ""
    member_count: int = 0
    physical_branch_count: int = 0
    virtual_branch_count: int = 0
    online_branch_count: int = 0
    virtual_member_count: int = 0
    by_status: tuple[Group, ...] = ()
    by_occupation: tuple[Group, ...] = ()
    by_admission: tuple[Group, ...] = ()
    ungrouped_member_count: int = 0


class Statistics(Message):
    total: OrganisationSums = OrganisationSums()
    below: tuple[OrganisationSums, ...] = ()
    as_of_time: datetime | None = None


class PeopleStatistics(Message):
    total_count: int = 0
    by_age: tuple[Group, ...] = ()
    by_gender: tuple[Group, ...] = ()
    by_education: tuple[Group, ...] = ()
    by_ethnicity: tuple[Group, ...] = ()
    ungrouped_count: int = 0
    as_of_time: datetime | None = None


class FoundingKinds(Message):
    kinds: tuple[FoundingKind, ...] = ()
    etag: str = ""


class MembershipRights(Message):
    rights: tuple[MembershipRight, ...] = ()
    etag: str = ""


class SurveyParameters(Message):
    threshold_permille: int = 500
    hysteresis_permille: int = 50


class NoticeSettings(Message):
    sms_kinds: tuple[str, ...] = ()
    quiet_from_hour: int = 0
    quiet_until_hour: int = 0
    sent_this_month_count: int = 0
    waiting_count: int = 0
