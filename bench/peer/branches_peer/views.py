"""The two calls."""

import hashlib
import json
import secrets
import time
from datetime import UTC, datetime

from django.db import connection, transaction
from rest_framework.exceptions import APIException, NotFound
from rest_framework.response import Response
from rest_framework.views import APIView

from branches_peer.models import (
    AnsweredRequest,
    AuditRow,
    Founding,
    FoundingCosigner,
    MemberDecision,
    MemberRecord,
    Membership,
    MembershipRights,
    OutboxEvent,
)
from branches_peer.serializers import CosignSerializer, DecisionSerializer, FoundingSerializer, RecordSerializer

PRESENT, FULL, COLLECTING = 1, 5, 1
MAX_COSIGNERS, DECISIONS_MAX, SHARDS = 500, 200, 16
METHOD = "/zhibu.branches.v1.FoundingService/CosignFounding"
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class Refused(APIException):
    """The state of things does not allow it."""

    status_code = 409


class MyRecordView(APIView):
    """The caller's own record with its history."""

    @transaction.atomic
    def get(self, request):
        """Answer a GET."""
        member_id = request.user.member_id
        _show_counties_of(member_id)
        try:
            record = MemberRecord.objects.get(member_id=member_id)
        except MemberRecord.DoesNotExist:
            raise NotFound from None
        memberships = list(
            Membership.objects.filter(member_id=member_id, end_date=None)
            .select_related("branch")
            .order_by("kind", "membership_id")
        )
        counties = {one.county_code for one in memberships}
        rights = {one.county_code: one.rights for one in MembershipRights.objects.filter(county_code__in=counties)}
        decisions = MemberDecision.objects.filter(member_id=member_id).order_by("-decision_id")[:DECISIONS_MAX]
        context = {"status": record.status, "rights": rights, "memberships": memberships}
        return Response(
            {
                "record": RecordSerializer(record, context=context).data,
                "decisions": DecisionSerializer(decisions, many=True).data,
            }
        )


class CosignView(APIView):
    """Signs a founding, once for each request id, with event and audit row."""

    @transaction.atomic
    def post(self, request, founding_id: str):
        """Answer a POST."""
        body = CosignSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        request_id, caller, now = body.validated_data["requestId"], request.user, datetime.now(UTC)
        digest = hashlib.sha256(f"{founding_id}\n{request_id}".encode()).digest()
        answered, is_new = AnsweredRequest.objects.get_or_create(
            caller=caller.account_id,
            method=METHOD,
            request_id=request_id,
            defaults={"body_hash": digest, "created_at": now},
        )
        if not is_new:
            if bytes(answered.body_hash) != digest:
                raise Refused(code="REQUEST_ID_REUSED")
            return Response(json.loads(bytes(answered.response)))
        answer = _cosign(caller, founding_id, request_id=request_id, now=now)
        answered.response = json.dumps(answer).encode()
        answered.save(update_fields=["response"])
        return Response(answer)


def _cosign(caller, founding_id: str, *, request_id: str, now: datetime) -> dict[str, object]:
    try:
        county_code = Founding.objects.values_list("county_code", flat=True).get(founding_id=founding_id)
    except Founding.DoesNotExist:
        raise NotFound from None
    _show_counties_of(caller.member_id, county_code)
    signer = MemberRecord.objects.select_for_update().filter(member_id=caller.member_id, standing=PRESENT).first()
    if signer is None:
        raise Refused(code="MEMBER_RECORD_REQUIRED")
    founding = Founding.objects.select_for_update().get(founding_id=founding_id)
    if founding.state != COLLECTING or founding.expire_time <= now:
        raise Refused(code="FOUNDING_NOT_COLLECTING")
    if founding.cosigner_count >= MAX_COSIGNERS:
        raise Refused(code="FOUNDING_FULL")
    _, is_new = FoundingCosigner.objects.get_or_create(
        founding_id=founding_id,
        member_id=caller.member_id,
        defaults={"county_code": county_code, "full_member": signer.status == FULL, "sign_time": now},
    )
    if is_new:
        founding.cosigner_count += 1
        founding.full_member_count += signer.status == FULL
        founding.version += 1
        founding.update_time = now
        founding.save(update_fields=["cosigner_count", "full_member_count", "version", "update_time"])
        _emit(founding, now=now)
    shown = FoundingSerializer(founding, context={"member_id": caller.member_id}).data
    AuditRow.objects.create(
        audit_id=_new_id(),
        action="branches.founding.cosigned",
        outcome="done",
        reason="",
        method=METHOD,
        account_id=caller.account_id,
        member_id=caller.member_id,
        service="",
        offices=[],
        organisation_id="",
        county_code=county_code,
        subject_id=founding_id,
        subjects_count=0,
        request_id=request_id,
        trace_id=secrets.token_hex(16),
        occurred_at=now,
    )
    return {"founding": shown, "etag": shown["etag"]}


def _emit(founding: Founding, *, now: datetime) -> None:
    payload = {
        "founding_id": founding.founding_id,
        "organisation_id": founding.organisation_id,
        "county_code": founding.county_code,
        "initiator_member_id": founding.initiator_member_id,
        "state": founding.state,
        "full_member_count": founding.full_member_count,
        "version": founding.version,
        "change_time": now.isoformat(),
    }
    OutboxEvent.objects.create(
        event_id=_new_id(),
        shard=hashlib.sha256(founding.founding_id.encode()).digest()[0] % SHARDS,
        key=founding.founding_id,
        version=founding.version,
        subject="zhibu.branches.v1.founding_changed",
        event_type="zhibu.branches.v1.FoundingChanged",
        county_code=founding.county_code,
        payload=json.dumps(payload).encode(),
        traceparent="",
        occurred_at=now,
    )


def _show_counties_of(member_id: str, *more: str) -> None:
    """Let row-level security show the counties in which anything about a member lies."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select set_config('zhibu.counties', array_to_string(member_counties(%s) || %s::text[], ','), true)",
            [member_id, list(more)],
        )


def _new_id() -> str:
    """Give a ULID."""
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))
