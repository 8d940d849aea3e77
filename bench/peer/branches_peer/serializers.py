"""Answers in the shape that the contract gives them."""

from rest_framework import serializers

from branches_peer.rights import acts_of

STATUS = ("UNSPECIFIED", "APPLICANT", "ACTIVIST", "DEVELOPMENT_TARGET", "PROBATIONARY", "FULL", "UNDER_PROBATION")
OCCUPATION = (
    "UNSPECIFIED", "EMPLOYEE", "SELF_EMPLOYED", "RETIRED", "FARMER", "STUDENT", "UNEMPLOYED", "ON_RELIEF", "OTHER",
)  # fmt: skip
STANDING = ("UNSPECIFIED", "PRESENT", "DIED", "LEFT", "EXPELLED", "MOVED_OUT", "WITHDRAWN")
KIND = ("UNSPECIFIED", "PHYSICAL", "VIRTUAL")
END_REASON = (
    "UNSPECIFIED", "ENTERED_WRONGLY", "MOVED", "TRANSFERRED", "ORGANISATION_CHANGED", "WITHDREW", "REMOVED", "RECORD_ENDED",
)  # fmt: skip
RESTORE_REASON = ("UNSPECIFIED", "REINSTATED", "ENTERED_WRONGLY", "RETURNED")
SOURCE = ("UNSPECIFIED", "ROSTER", "RECORDED", "TRANSFER")
STATE = ("UNSPECIFIED", "COLLECTING", "SUBMITTED", "APPROVED", "REFUSED", "WITHDRAWN", "EXPIRED")
REQUIRED_FULL_MEMBERS = 3


class Named(serializers.Field):
    """A number shown as the name of an enum's value."""

    def __init__(self, prefix: str, names: tuple[str, ...], **options) -> None:
        """Show numbers as these names."""
        super().__init__(read_only=True, **options)
        self._names = [f"{prefix}_{name}" for name in names]

    def get_attribute(self, instance):
        """Show a missing number as the first name."""
        return super().get_attribute(instance) or 0

    def to_representation(self, value: int) -> str:
        """Give the name."""
        return self._names[value]


class Day(serializers.DateField):
    """A day, empty for none."""

    def get_attribute(self, instance):
        """Show none as empty."""
        return super().get_attribute(instance) or ""

    def to_representation(self, value) -> str:
        """Give the day."""
        return super().to_representation(value) if value else ""


class Tag(serializers.Field):
    """The entity tag of a version."""

    def __init__(self) -> None:
        """Read the version."""
        super().__init__(read_only=True, source="version")

    def to_representation(self, value: int) -> str:
        """Give the tag."""
        return f"v{value}"


class MembershipSerializer(serializers.Serializer):
    """One membership."""

    membershipId = serializers.CharField(source="membership_id")
    memberId = serializers.CharField(source="member_id")
    branchId = serializers.CharField(source="branch_id")
    branchName = serializers.CharField(source="branch.name")
    kind = Named("MEMBERSHIP_KIND", KIND)
    startDate = Day(source="start_date")
    endDate = Day(source="end_date")
    endReason = Named("MEMBERSHIP_END_REASON", END_REASON, source="end_reason")
    acts = serializers.SerializerMethodField()
    countyCode = serializers.CharField(source="county_code")
    etag = Tag()

    def get_acts(self, membership) -> list[str]:
        """Give what it entitles to."""
        rights = self.context["rights"].get(membership.county_code)
        return acts_of(rights, kind=membership.kind, status=self.context["status"])


class RecordSerializer(serializers.Serializer):
    """How a member stands."""

    memberId = serializers.CharField(source="member_id")
    countyCode = serializers.CharField(source="county_code")
    branchId = serializers.CharField(source="branch_id")
    status = Named("PARTY_STATUS", STATUS)
    statusDate = Day(source="status_date")
    appliedDate = Day(source="applied_date")
    admittedDate = Day(source="admitted_date")
    confirmedDate = Day(source="confirmed_date")
    occupation = Named("OCCUPATION_CATEGORY", OCCUPATION)
    standing = Named("STANDING", STANDING)
    endDate = Day(source="end_date")
    etag = Tag()
    memberships = serializers.SerializerMethodField()

    def get_memberships(self, _record) -> list[dict[str, object]]:
        """Give the memberships that the context holds."""
        return MembershipSerializer(self.context["memberships"], many=True, context=self.context).data


class DecisionSerializer(serializers.Serializer):
    """An entry of the history."""

    decisionId = serializers.CharField(source="decision_id")
    memberId = serializers.CharField(source="member_id")
    branchId = serializers.CharField(source="branch_id")
    decisionDate = Day(source="decision_date")
    status = Named("PARTY_STATUS", STATUS)
    occupation = Named("OCCUPATION_CATEGORY", OCCUPATION)
    standing = Named("STANDING", STANDING)
    documentNumber = serializers.CharField(source="document_number")
    documentId = serializers.CharField(source="document_id")
    source = Named("DECISION_SOURCE", SOURCE)
    madeByMemberId = serializers.CharField(source="made_by_member_id")
    createTime = serializers.DateTimeField(source="create_time")
    restoreReason = Named("RESTORE_REASON", RESTORE_REASON, source="restore_reason")


class FoundingSerializer(serializers.Serializer):
    """A founding as its signer sees it."""

    foundingId = serializers.CharField(source="founding_id")
    organisationId = serializers.CharField(source="organisation_id")
    countyCode = serializers.CharField(source="county_code")
    name = serializers.CharField()
    kind = serializers.CharField()
    purpose = serializers.CharField()
    initiatorMemberId = serializers.CharField(source="initiator_member_id")
    state = Named("FOUNDING_STATE", STATE)
    cosignerCount = serializers.IntegerField(source="cosigner_count")
    fullMemberCount = serializers.IntegerField(source="full_member_count")
    requiredCount = serializers.SerializerMethodField()
    signedByMe = serializers.SerializerMethodField()
    initiatedByMe = serializers.SerializerMethodField()
    branchId = serializers.SerializerMethodField()
    refusalNote = serializers.CharField(source="refusal_note")
    expireTime = serializers.DateTimeField(source="expire_time")
    createTime = serializers.DateTimeField(source="create_time")
    etag = Tag()

    def get_requiredCount(self, _founding) -> int:
        """Give how many full members are wanted."""
        return REQUIRED_FULL_MEMBERS

    def get_signedByMe(self, _founding) -> bool:
        """Say that the caller has signed."""
        return True

    def get_initiatedByMe(self, founding) -> bool:
        """Say whether the caller began it."""
        return founding.initiator_member_id == self.context["member_id"]

    def get_branchId(self, founding) -> str:
        """Give the branch, empty while there is none."""
        return founding.branch_id or ""


class CosignSerializer(serializers.Serializer):
    """Body of the call."""

    requestId = serializers.RegexField(r"^[A-Za-z0-9._-]{1,64}$")
