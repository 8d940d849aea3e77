"""Events of identity that members and officers are told of."""

from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta
from typing import Any, Final

from zhibu.identity.v1 import (
    application_pb2,
    certificate_service_pb2,
    eid_pb2,
    erasure_service_pb2,
    person_pb2,
    recovery_service_pb2,
    roster_events_pb2,
)
from zhibu.identity.v1 import identity_events_pb2 as events
from zhibu_kit.audit_subjects import forget_subject
from zhibu_kit.clock import Clock
from zhibu_kit.consumers import Consumer
from zhibu_kit.db import Transaction
from zhibu_kit.events import EventContext

from zhibu_notify.consumers.telling import Teller
from zhibu_notify.member_rows import forget_member, silence_member
from zhibu_notify.notice_rules import SHANGHAI, is_news
from zhibu_notify.notices import Announcer, Notice

_ANSWERED: Final = {
    person_pb2.CORRECTION_STATE_DONE: "correction_done",
    person_pb2.CORRECTION_STATE_REFUSED: "correction_refused",
}
_RECOVERIES: Final = {
    recovery_service_pb2.RECOVERY_STATE_WAITING: "recovery_started",
    recovery_service_pb2.RECOVERY_STATE_DONE: "recovery_done",
    recovery_service_pb2.RECOVERY_STATE_REFUSED: "recovery_ended",
    recovery_service_pb2.RECOVERY_STATE_EXPIRED: "recovery_ended",
}
# What the officer did or let pass is no news to the officer.
_CERTIFICATES: Final = {
    certificate_service_pb2.CERTIFICATE_STATE_WAITING: "certificate_requested",
    certificate_service_pb2.CERTIFICATE_STATE_ISSUED: "certificate_issued",
    certificate_service_pb2.CERTIFICATE_STATE_REVOKED: "certificate_revoked",
}
# Of an erasure that comes to nothing its asker is told; one that was taken back was taken back by the asker.
_ERASURES: Final = {
    erasure_service_pb2.ERASURE_STATE_REFUSED: "erasure_refused",
    erasure_service_pb2.ERASURE_STATE_EXPIRED: "erasure_expired",
}
# An office without permissions is no work and no news.
_NO_OFFICE: Final = "member"


class IdentityEvents:
    """Handlers, one per event."""

    def __init__(self, announcer: Announcer, clock: Clock) -> None:
        """Tell by an announcer."""
        self._teller = Teller(announcer, clock)
        self._clock = clock

    def consumers(self) -> list[Consumer]:
        """The consumers of all of them; that of GrantChanged comes after the kit's own."""
        handlers: list[tuple[str, type[Any], Callable[[Transaction, Any, EventContext], Awaitable[None]]]] = [
            ("eid_notices", events.EidChanged, self.eid_changed),
            ("application_notices", events.ApplicationChanged, self.application_changed),
            ("correction_notices", roster_events_pb2.CorrectionChanged, self.correction_changed),
            ("recovery_notices", roster_events_pb2.RecoveryChanged, self.recovery_changed),
            ("certificate_notices", events.CertificateChanged, self.certificate_changed),
            ("erasure_notices", roster_events_pb2.ErasureChanged, self.erasure_changed),
            ("telephone_notices", roster_events_pb2.TelephoneChanged, self.telephone_changed),
            ("grant_notices", events.GrantChanged, self.grant_changed),
            ("person_erased", roster_events_pb2.PersonErased, self.person_erased),
        ]
        return [Consumer(name=name, event=event, handle=handle) for name, event, handle in handlers]

    async def eid_changed(self, transaction: Transaction, event: events.EidChanged, context: EventContext) -> None:
        if not self._teller.is_news(event.change_time):
            return
        if event.state == eid_pb2.EID_STATE_ACTIVE:
            # An e-ID that was only issued cannot read an inbox; its activation code is a message of its own.
            notice = Notice(template="eid_activated", topic="eid_activated")
        elif event.state == eid_pb2.EID_STATE_REVOKED and event.revocation_reason != eid_pb2.REVOCATION_REASON_DIED:
            notice = Notice(template="eid_revoked")
        else:
            return
        await self._teller.tell(transaction, [event.member_id], notice, county_code=event.county_code)

    async def application_changed(
        self, transaction: Transaction, event: events.ApplicationChanged, context: EventContext
    ) -> None:
        waits = event.state == application_pb2.APPLICATION_STATE_SUBMITTED
        if not waits or not self._teller.is_news(event.change_time):
            return
        await self._teller.tell_holders(
            transaction,
            "identity.applications.decide",
            Notice(template="applications_wait", parameters={"organisation_id": event.county_code}),
            organisation_id=event.county_code,
            county_code=event.county_code,
        )

    async def correction_changed(
        self, transaction: Transaction, event: roster_events_pb2.CorrectionChanged, context: EventContext
    ) -> None:
        if not self._teller.is_news(event.change_time):
            return
        if event.state == person_pb2.CORRECTION_STATE_OPEN:
            await self._teller.tell_holders(
                transaction,
                "identity.people.correct",
                Notice(template="corrections_wait"),
                organisation_id=event.branch_id or event.county_code,
                county_code=event.county_code,
            )
        elif (template := _ANSWERED.get(event.state)) is not None:
            notice = Notice(template=template)
            await self._teller.tell(transaction, [event.member_id], notice, county_code=event.county_code)

    async def recovery_changed(
        self, transaction: Transaction, event: roster_events_pb2.RecoveryChanged, context: EventContext
    ) -> None:
        template = _RECOVERIES.get(event.state)
        if template is None or not self._teller.is_news(event.change_time):
            return
        await self._teller.tell(
            transaction, [event.member_id], Notice(template=template), county_code=event.county_code
        )
        if event.state == recovery_service_pb2.RECOVERY_STATE_WAITING:
            await self._teller.tell_holders(
                transaction,
                "identity.eids.replace",
                Notice(template="recoveries_wait", parameters={"organisation_id": event.county_code}),
                organisation_id=event.county_code,
                county_code=event.county_code,
            )

    async def certificate_changed(
        self, transaction: Transaction, event: events.CertificateChanged, context: EventContext
    ) -> None:
        if not self._teller.is_news(event.change_time):
            return
        parameters = {"organisation_id": event.organisation_id}
        if (template := _CERTIFICATES.get(event.state)) is not None:
            told, notice = event.member_id, Notice(template=template, parameters=parameters)
        elif event.state == certificate_service_pb2.CERTIFICATE_STATE_REFUSED:
            told, notice = event.requested_by_member_id, Notice(template="certificate_refused", parameters=parameters)
        else:
            return
        await self._teller.tell(transaction, [told], notice, county_code=event.county_code)

    async def erasure_changed(
        self, transaction: Transaction, event: roster_events_pb2.ErasureChanged, context: EventContext
    ) -> None:
        if not self._teller.is_news(event.change_time):
            return
        parameters = {"organisation_id": event.county_code}
        if event.state == erasure_service_pb2.ERASURE_STATE_WAITING:
            await self._teller.tell_holders(
                transaction,
                "identity.people.erase",
                Notice(template="erasures_wait", parameters=parameters),
                organisation_id=event.county_code,
                county_code=event.county_code,
            )
        elif (template := _ERASURES.get(event.state)) is not None:
            notice = Notice(template=template, parameters=parameters)
            await self._teller.tell(transaction, [event.requested_by_member_id], notice, county_code=event.county_code)

    async def telephone_changed(
        self, transaction: Transaction, event: roster_events_pb2.TelephoneChanged, context: EventContext
    ) -> None:
        if self._teller.is_news(event.change_time):
            notice = Notice(template="telephone_changed")
            await self._teller.tell(transaction, [event.member_id], notice, county_code=event.county_code)
            if event.replaced:
                # Should somebody else have put the new number there, only this one tells the member.
                await self._teller.tell_former_telephone(
                    transaction, event.member_id, notice, version=event.version, county_code=event.county_code
                )

    async def grant_changed(self, transaction: Transaction, event: events.GrantChanged, context: EventContext) -> None:
        now = self._clock.now()
        if event.office == _NO_OFFICE or not is_news(context.occurred_at, now):
            return
        # A grant is told when it is made and when it is ended; a snapshot after a loss of events tells of old ones too.
        if not event.revoked and not is_news(event.starts_at.ToDatetime(tzinfo=UTC), now):
            return
        parameters = {"office": event.office, "organisation_id": event.organisation_id}
        if event.revoked:
            notice = Notice(template="office_ended", parameters=parameters)
        elif event.HasField("ends_at"):
            # It ends with the instant, that is before the day that begins then.
            last_instant = event.ends_at.ToDatetime(tzinfo=UTC) - timedelta(microseconds=1)
            last_day = last_instant.astimezone(SHANGHAI).date()
            notice = Notice(template="office_granted", parameters={**parameters, "end_date": last_day.isoformat()})
        else:
            notice = Notice(template="office_follows_post", parameters=parameters)
        await self._teller.tell(transaction, [event.member_id], notice, county_code=event.county_code)

    async def person_erased(
        self, transaction: Transaction, event: roster_events_pb2.PersonErased, context: EventContext
    ) -> None:
        await silence_member(transaction, event.member_id, urgent_too=True, now=self._clock.now())
        await forget_member(transaction, event.member_id)
        await forget_subject(transaction, event.member_id)
