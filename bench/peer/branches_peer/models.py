"""The project's own tables, as far as the two calls need them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Organisation(models.Model):
    """A branch, or what stands above it."""

    organisation_id = models.TextField(primary_key=True)
    name = models.TextField()

    class Meta:
        managed = False
        db_table = "organisation"


class MemberRecord(models.Model):
    """How a member stands."""

    member_id = models.TextField(primary_key=True)
    county_code = models.TextField()
    branch_id = models.TextField()
    status = models.SmallIntegerField()
    status_date = models.DateField(null=True)
    applied_date = models.DateField(null=True)
    admitted_date = models.DateField(null=True)
    confirmed_date = models.DateField(null=True)
    occupation = models.SmallIntegerField()
    standing = models.SmallIntegerField()
    end_date = models.DateField(null=True)
    version = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "member_record"


class Membership(models.Model):
    """What ties a member to a branch."""

    membership_id = models.TextField(primary_key=True)
    member_id = models.TextField()
    branch = models.ForeignKey(Organisation, models.DO_NOTHING, db_column="branch_id")
    county_code = models.TextField()
    kind = models.SmallIntegerField()
    start_date = models.DateField()
    end_date = models.DateField(null=True)
    end_reason = models.SmallIntegerField(null=True)
    version = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "membership"


class MembershipRights(models.Model):
    """What a county decided about rights."""

    county_code = models.TextField(primary_key=True)
    rights = models.JSONField()

    class Meta:
        managed = False
        db_table = "membership_rights"


class MemberDecision(models.Model):
    """An entry of a record's history."""

    decision_id = models.TextField(primary_key=True)
    member_id = models.TextField()
    branch_id = models.TextField()
    decision_date = models.DateField()
    status = models.SmallIntegerField()
    occupation = models.SmallIntegerField()
    standing = models.SmallIntegerField()
    document_number = models.TextField()
    document_id = models.TextField()
    source = models.SmallIntegerField()
    restore_reason = models.SmallIntegerField()
    made_by_member_id = models.TextField()
    create_time = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "member_decision"


class Founding(models.Model):
    """A virtual branch that members want."""

    founding_id = models.TextField(primary_key=True)
    county_code = models.TextField()
    organisation_id = models.TextField()
    name = models.TextField()
    kind = models.TextField()
    purpose = models.TextField()
    initiator_member_id = models.TextField()
    state = models.SmallIntegerField()
    cosigner_count = models.IntegerField()
    full_member_count = models.IntegerField()
    branch_id = models.TextField(null=True)
    refusal_note = models.TextField()
    expire_time = models.DateTimeField()
    version = models.BigIntegerField()
    create_time = models.DateTimeField()
    update_time = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "founding"


class FoundingCosigner(models.Model):
    """A signature."""

    pk = models.CompositePrimaryKey("founding_id", "member_id")
    founding_id = models.TextField()
    member_id = models.TextField()
    county_code = models.TextField()
    full_member = models.BooleanField()
    sign_time = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "founding_cosigner"


class AnsweredRequest(models.Model):
    """What was answered to a request id."""

    pk = models.CompositePrimaryKey("caller", "method", "request_id")
    caller = models.TextField()
    method = models.TextField()
    request_id = models.TextField()
    body_hash = models.BinaryField()
    response = models.BinaryField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "kit_request"


class OutboxEvent(models.Model):
    """An event that waits to be published."""

    position = models.BigAutoField(primary_key=True)
    event_id = models.TextField()
    shard = models.SmallIntegerField()
    key = models.TextField()
    version = models.BigIntegerField()
    subject = models.TextField()
    event_type = models.TextField()
    county_code = models.TextField()
    payload = models.BinaryField()
    traceparent = models.TextField()
    occurred_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "kit_outbox"


class AuditRow(models.Model):
    """What a call did."""

    audit_id = models.TextField(primary_key=True)
    action = models.TextField()
    outcome = models.TextField()
    reason = models.TextField()
    method = models.TextField()
    account_id = models.TextField()
    member_id = models.TextField()
    service = models.TextField()
    offices = ArrayField(models.TextField())
    organisation_id = models.TextField()
    county_code = models.TextField()
    subject_id = models.TextField()
    subjects_count = models.IntegerField()
    request_id = models.TextField()
    trace_id = models.TextField()
    occurred_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "kit_audit"
