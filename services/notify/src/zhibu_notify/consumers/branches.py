"""Events of branches that members and officers are told of."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from zhibu.branches.v1 import branches_events_pb2 as events
from zhibu.branches.v1 import committee_pb2, founding_pb2, membership_pb2, membership_service_pb2, survey_pb2
from zhibu_kit.clock import Clock
from zhibu_kit.consumers import Consumer
from zhibu_kit.db import Transaction
from zhibu_kit.events import EventContext

from zhibu_notify.consumers.telling import Teller
from zhibu_notify.member_rows import forget_member, hear_member_again, silence_member
from zhibu_notify.notices import Announcer, Notice

_DECIDED: Final = {
    founding_pb2.FOUNDING_STATE_APPROVED: "founding_approved",
    founding_pb2.FOUNDING_STATE_REFUSED: "founding_refused",
    founding_pb2.FOUNDING_STATE_WITHDRAWN: "founding_withdrawn",
    founding_pb2.FOUNDING_STATE_EXPIRED: "founding_expired",
}
_ANSWERED: Final = {
    membership_service_pb2.MEMBERSHIP_REQUEST_STATE_ADMITTED: "request_admitted",
    membership_service_pb2.MEMBERSHIP_REQUEST_STATE_REFUSED: "request_refused",
    membership_service_pb2.MEMBERSHIP_REQUEST_STATE_LAPSED: "request_lapsed",
}
# What a member did not do, and is not told by another notice: a physical branch never ends without the next one's beginning,
# and the end of a record is told by the branch.
_ENDS_TOLD: Final = frozenset(
    {
        membership_pb2.MEMBERSHIP_END_REASON_ENTERED_WRONGLY,
        membership_pb2.MEMBERSHIP_END_REASON_ORGANISATION_CHANGED,
        membership_pb2.MEMBERSHIP_END_REASON_REMOVED,
    }
)
# These carry an office: the notice of the office tells of them, when it can be used.
_POSTS_WITH_OFFICE: Final = frozenset(
    {committee_pb2.POST_SECRETARY, committee_pb2.POST_DEPUTY_SECRETARY, committee_pb2.POST_ORGANISATION}
)


class BranchesEvents:
    """Handlers, one per event."""

    def __init__(self, announcer: Announcer, clock: Clock) -> None:
        """Tell by an announcer."""
        self._teller = Teller(announcer, clock)
        self._clock = clock

    def consumers(self) -> list[Consumer]:
        """The consumers of all of them."""
        handlers: list[tuple[str, type[Any], Callable[[Transaction, Any, EventContext], Awaitable[None]]]] = [
            ("founding_notices", events.FoundingChanged, self.founding_changed),
            ("membership_notices", events.MembershipChanged, self.membership_changed),
            ("membership_request_notices", events.MembershipRequestChanged, self.request_changed),
            ("member_record_notices", events.MemberRecordChanged, self.record_changed),
            ("post_notices", events.PostChanged, self.post_changed),
            ("committee_term_notices", events.CommitteeTermWarned, self.term_warned),
            ("online_state_notices", events.OnlineStateChanged, self.online_state_changed),
            ("survey_notices", events.SurveyAnswerReported, self.survey_answer_reported),
            ("roster_notices", events.RosterApplied, self.roster_applied),
        ]
        return [Consumer(name=name, event=event, handle=handle) for name, event, handle in handlers]

    async def founding_changed(
        self, transaction: Transaction, event: events.FoundingChanged, context: EventContext
    ) -> None:
        if not self._teller.is_news(event.change_time):
            return
        if event.state == founding_pb2.FOUNDING_STATE_SUBMITTED:
            await self._teller.tell_holders(
                transaction,
                "branches.foundings.decide",
                Notice(template="foundings_wait", parameters={"organisation_id": event.county_code}),
                organisation_id=event.organisation_id,
                county_code=event.county_code,
            )
            return
        template = _DECIDED.get(event.state)
        if template is None:
            return
        told = {event.initiator_member_id, *event.cosigner_member_ids}
        if event.state == founding_pb2.FOUNDING_STATE_WITHDRAWN:
            told.discard(event.initiator_member_id)
        parameters = {
            "founding_id": event.founding_id,
            "organisation_id": event.organisation_id,
            "branch_id": event.branch_id,
        }
        await self._teller.tell(
            transaction, told, Notice(template=template, parameters=parameters), county_code=event.county_code
        )

    async def membership_changed(
        self, transaction: Transaction, event: events.MembershipChanged, context: EventContext
    ) -> None:
        # A county's roster of 24,000 rows is the paper's order, not news to those who are in it.
        if event.source == membership_pb2.DECISION_SOURCE_ROSTER or not self._teller.is_news(event.change_time):
            return
        physical = event.kind == membership_pb2.MEMBERSHIP_KIND_PHYSICAL
        if event.active and physical:
            template = "membership_began"
        elif not event.active and not physical and event.end_reason in _ENDS_TOLD:
            template = "membership_ended"
        else:
            # A virtual branch is entered by a request or a founding, which have notices of their own.
            return
        notice = Notice(template=template, parameters={"branch_id": event.branch_id})
        await self._teller.tell(transaction, [event.member_id], notice, county_code=event.county_code)

    async def request_changed(
        self, transaction: Transaction, event: events.MembershipRequestChanged, context: EventContext
    ) -> None:
        if not self._teller.is_news(event.change_time):
            return
        parameters = {"branch_id": event.branch_id}
        if event.state == membership_service_pb2.MEMBERSHIP_REQUEST_STATE_OPEN:
            await self._teller.tell_holders(
                transaction,
                "branches.members.admit",
                Notice(template="requests_wait", parameters=parameters),
                organisation_id=event.branch_id,
                county_code=event.county_code,
            )
        elif (template := _ANSWERED.get(event.state)) is not None:
            notice = Notice(template=template, parameters=parameters)
            await self._teller.tell(transaction, [event.member_id], notice, county_code=event.county_code)

    async def record_changed(
        self, transaction: Transaction, event: events.MemberRecordChanged, context: EventContext
    ) -> None:
        now = self._clock.now()
        match event.standing:
            case membership_pb2.STANDING_PRESENT:
                await hear_member_again(transaction, event.member_id)
            case membership_pb2.STANDING_DIED:
                # Nobody shall get messages for the dead.
                await silence_member(transaction, event.member_id, urgent_too=True, now=now)
                await forget_member(transaction, event.member_id)
                return
            case membership_pb2.STANDING_UNSPECIFIED:
                pass
            case _:
                await silence_member(transaction, event.member_id, urgent_too=False, now=now)
                return
        if event.source != membership_pb2.DECISION_SOURCE_RECORDED or not self._teller.is_news(event.change_time):
            return
        notice = Notice(template="record_changed", parameters={"branch_id": event.branch_id}, topic="record_changed")
        await self._teller.tell(transaction, [event.member_id], notice, county_code=event.county_code)

    async def post_changed(self, transaction: Transaction, event: events.PostChanged, context: EventContext) -> None:
        if event.post in _POSTS_WITH_OFFICE or not self._teller.is_news(event.change_time):
            return
        notice = Notice(
            template="post_given" if event.active else "post_ended",
            parameters={"branch_id": event.branch_id, "post": str(int(event.post)), "end_date": event.end_date},
        )
        await self._teller.tell(transaction, [event.member_id], notice, county_code=event.county_code)

    async def term_warned(
        self, transaction: Transaction, event: events.CommitteeTermWarned, context: EventContext
    ) -> None:
        if not self._teller.is_news(event.change_time):
            return
        notice = Notice(
            template="term_ending" if event.months_left > 0 else "term_ended",
            parameters={
                "branch_id": event.branch_id,
                "months_left": str(event.months_left),
                "end_date": event.term_end_date,
            },
            topic=f"term:{event.committee_id}:{event.months_left}",
        )
        await self._teller.tell_branch_and_holders(
            transaction,
            "branches.committees.appoint",
            notice,
            branch_id=event.branch_id,
            county_code=event.county_code,
        )

    async def online_state_changed(
        self, transaction: Transaction, event: events.OnlineStateChanged, context: EventContext
    ) -> None:
        if not self._teller.is_news(event.change_time):
            return
        parameters = {"branch_id": event.branch_id, "rate_permille": str(event.rate_permille)}
        topic = f"online:{event.branch_id}"
        if event.state == survey_pb2.ONLINE_STATE_WARNED:
            await self._teller.tell_branch_and_holders(
                transaction,
                "branches.survey.manage",
                Notice(template="branch_warned", parameters=parameters, topic=topic),
                branch_id=event.branch_id,
                county_code=event.county_code,
            )
        elif event.state == survey_pb2.ONLINE_STATE_ONLINE:
            # The branch itself is told; a county with 121 of them sees them on its desk.
            await self._teller.tell_branch(
                transaction,
                Notice(template="branch_online", parameters=parameters, topic=topic),
                branch_id=event.branch_id,
                county_code=event.county_code,
            )

    async def survey_answer_reported(
        self, transaction: Transaction, event: events.SurveyAnswerReported, context: EventContext
    ) -> None:
        if not self._teller.is_news(event.change_time):
            return
        notice = Notice(
            template="survey_countersign", parameters={"branch_id": event.branch_id}, topic="survey_countersign"
        )
        await self._teller.tell(transaction, [event.member_id], notice, county_code=event.county_code)

    async def roster_applied(
        self, transaction: Transaction, event: events.RosterApplied, context: EventContext
    ) -> None:
        if not self._teller.is_news(event.change_time):
            return
        notice = Notice(
            template="roster_applied",
            parameters={
                "organisation_id": event.organisation_id,
                "applied_count": str(event.applied_count),
                "unchanged_count": str(event.unchanged_count),
                "conflict_count": str(event.conflict_count),
            },
            topic=f"roster:{event.roster_id}",
        )
        await self._teller.tell_holders(
            transaction,
            "identity.rosters.import",
            notice,
            organisation_id=event.organisation_id,
            county_code=event.county_code,
        )
