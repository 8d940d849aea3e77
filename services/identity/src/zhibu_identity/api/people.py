"""What officers call about people: lists, search, one record, corrections, erasure, sums."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from zhibu.identity.v1 import people_service_pb2 as pb
from zhibu.identity.v1 import person_pb2
from zhibu_kit.call import Call
from zhibu_kit.db import Role, Transaction
from zhibu_kit.etag import check_etag, etag_of
from zhibu_kit.paging import encode_page_token, page_of

from zhibu_identity.api.clerks import member_of
from zhibu_identity.api.person_messages import correction_message, person_message, sums_message
from zhibu_identity.counts.sums import sums_of
from zhibu_identity.erasures.erasing import erase_with_two
from zhibu_identity.errors import OWN_RECORD
from zhibu_identity.events import timestamp
from zhibu_identity.parts import Parts
from zhibu_identity.people import changes as person_changes
from zhibu_identity.people import corrections
from zhibu_identity.people.changes import Corrected
from zhibu_identity.people.corrections import Correction, decide_correction, finish_correction, get_correction
from zhibu_identity.people.lists import PeoplePage, count_people, find_listed, list_people, load_listed
from zhibu_identity.people.names import telephones_of
from zhibu_identity.people.reach import get_person_within, reach_of
from zhibu_identity.people.records import PersonRecord, find_people, open_details
from zhibu_identity.rules.erasure import ErasureState
from zhibu_identity.rules.search_terms import terms_of_query
from zhibu_identity.telephones.former import former_telephones_of


class PeopleApi:
    """The officers' RPCs of PeopleService.

    Readings run as the role that sees every county, because a virtual branch has members of several: the reach of the
    organisation on which the access check passed is in every statement. Writes see one county.
    """

    def __init__(self, parts: Parts) -> None:
        """Work with these parts."""
        self._parts = parts

    async def ListPeople(self, request: pb.ListPeopleRequest, call: Call) -> pb.ListPeopleResponse:
        """Page through people."""
        parts, query = self._parts, f"{request.organisation_id}/{request.without_eid}"
        page = page_of(request.page_size, request.page_token, query=query, keys=2)
        async with parts.database.read(call, request, role=Role.PROVINCE) as read:
            reach = await reach_of(read, request.organisation_id)
            found = await list_people(read, parts.vault, reach, page=page, without_eid=request.without_eid)
            total = await count_people(read, reach, without_eid=request.without_eid)
            return read.reply(
                pb.ListPeopleResponse(
                    people=_messages(found), next_page_token=_token(found, query=query), total_count=total
                ),
                subjects=[one.record.member_id for one in found.people],
            )

    async def SearchPeople(self, request: pb.SearchPeopleRequest, call: Call) -> pb.SearchPeopleResponse:
        """Find people by whole terms."""
        parts = self._parts
        # The token says to which query it belongs, and must not tell what was searched for.
        query = f"{request.organisation_id}/{parts.province.digest('search', request.query).hex()}"
        page = page_of(request.page_size, request.page_token, query=query, keys=2)
        terms = terms_of_query(request.query)
        async with parts.database.read(call, request, role=Role.PROVINCE) as read:
            reach = await reach_of(read, request.organisation_id)
            member_ids = await parts.vault.search.find_members(reach.county_code, terms) if terms else []
            found = await find_listed(read, parts.vault, reach, member_ids=member_ids, page=page)
            return read.reply(
                pb.SearchPeopleResponse(people=_messages(found), next_page_token=_token(found, query=query)),
                subjects=[one.record.member_id for one in found.people],
            )

    async def GetPerson(self, request: pb.GetPersonRequest, call: Call) -> pb.GetPersonResponse:
        """Show one person whole."""
        async with self._parts.database.read(call, request, role=Role.PROVINCE) as read:
            record = await get_person_within(read, request.organisation_id, request.member_id)
            return read.reply(
                pb.GetPersonResponse(person=await self._message(read, record), etag=etag_of(record.version)),
                subjects=[record.member_id],
            )

    async def CorrectPerson(self, request: pb.CorrectPersonRequest, call: Call) -> pb.CorrectPersonResponse:
        """Correct a record."""
        parts = self._parts
        async with parts.database.write(call, request, pb.CorrectPersonResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await get_person_within(write, request.organisation_id, request.member_id, lock=True)
            _refuse_own(record, call)
            check_etag(request.etag, record.version)
            wish = Corrected(
                real_name=request.real_name,
                resident_number=request.resident_number,
                ethnicity=request.ethnicity,
                education=request.education,
                work_unit=request.work_unit,
                address=request.address,
            )
            changed, _ = await person_changes.correct_person(write, parts, record, wish)
            if request.correction_id:
                await finish_correction(
                    write, parts, request.correction_id, person_record=changed, officer_member_id=member_of(call)
                )
            return write.reply(
                pb.CorrectPersonResponse(person=await self._message(write, changed), etag=etag_of(changed.version)),
                subjects=[changed.member_id],
            )

    async def ChangeTelephone(self, request: pb.ChangeTelephoneRequest, call: Call) -> pb.ChangeTelephoneResponse:
        """Give a person another telephone at the counter."""
        parts = self._parts
        async with parts.database.write(call, request, pb.ChangeTelephoneResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await get_person_within(write, request.organisation_id, request.member_id, lock=True)
            _refuse_own(record, call)
            check_etag(request.etag, record.version)
            changed, _ = await person_changes.change_telephone(write, parts, record, request.telephone)
            return write.reply(
                pb.ChangeTelephoneResponse(person=await self._message(write, changed), etag=etag_of(changed.version)),
                subjects=[changed.member_id],
            )

    async def ListCorrections(self, request: pb.ListCorrectionsRequest, call: Call) -> pb.ListCorrectionsResponse:
        """Page through open corrections."""
        query = request.organisation_id
        page = page_of(request.page_size, request.page_token, query=query)
        async with self._parts.database.read(call, request) as read:
            reach = await reach_of(read, request.organisation_id)
            found = await corrections.list_open(read, reach, page=page)
            shown = found[: page.size]
            token = encode_page_token([shown[-1].correction_id], query=query) if len(found) > page.size else ""
            return read.reply(
                pb.ListCorrectionsResponse(corrections=await self._corrections(read, shown), next_page_token=token),
                subjects=[one.member_id for one in shown],
            )

    async def DecideCorrection(self, request: pb.DecideCorrectionRequest, call: Call) -> pb.DecideCorrectionResponse:
        """Answer a correction."""
        parts = self._parts
        async with parts.database.write(call, request, pb.DecideCorrectionResponse) as write:
            if write.replayed is not None:
                return write.replayed
            wish = await get_correction(write, request.correction_id)
            # The person first, then the correction: the same order wherever both are locked.
            record = await get_person_within(write, request.organisation_id, wish.member_id, lock=True)
            _refuse_own(record, call)
            wish = await get_correction(write, request.correction_id, lock=True)
            if wish.state is corrections.CorrectionState.OPEN:
                check_etag(request.etag, wish.version)
            decided = await decide_correction(
                write,
                parts,
                wish,
                person_record=record,
                accept=request.accept,
                reply_note=request.reply_note,
                officer_member_id=member_of(call),
            )
            (message,) = await self._corrections(write, [decided])
            return write.reply(
                pb.DecideCorrectionResponse(correction=message, etag=message.etag), subjects=[decided.member_id]
            )

    async def ErasePerson(self, request: pb.ErasePersonRequest, call: Call) -> pb.ErasePersonResponse:
        """Propose an erasure, or, as another officer, do it."""
        parts = self._parts
        async with parts.database.write(call, request, pb.ErasePersonResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await get_person_within(write, request.organisation_id, request.member_id, lock=True)
            check_etag(request.etag, record.version)
            erasing = await erase_with_two(
                write, parts, record, officer_member_id=member_of(call), reason=request.reason
            )
            done = erasing.state is ErasureState.DONE
            response = write.reply(
                pb.ErasePersonResponse(
                    done=done,
                    proposed_by_member_id=erasing.proposed_by_member_id,
                    expire_time=None if done else timestamp(erasing.expires_at),
                ),
                # Whoever is erased with this is in no opening any more.
                subjects=[] if done else [record.member_id],
            )
        if done:
            parts.reached("erasure listed")
            await parts.vault.erase(request.member_id)
        return response

    async def GetPeopleStatistics(
        self, request: pb.GetPeopleStatisticsRequest, call: Call
    ) -> pb.GetPeopleStatisticsResponse:
        """Sum people without showing any."""
        async with self._parts.database.transaction(call.scope, role=Role.PROVINCE) as transaction:
            return sums_message(await sums_of(transaction, self._parts, request.organisation_id))

    async def ResolveTelephones(
        self, request: pb.ResolveTelephonesRequest, call: Call
    ) -> AsyncGenerator[pb.ResolveTelephonesResponse]:
        """Give notify the telephones of the members to whom it sends now."""
        async with self._parts.database.read(call, request, role=Role.PROVINCE) as read:
            found = await telephones_of(read, self._parts.vault, request.member_ids)
            # The audit row is committed before the first number leaves.
            read.reply(pb.ResolveTelephonesResponse(), subjects=list(found))
        for member_id, telephone in found.items():
            yield pb.ResolveTelephonesResponse(member_id=member_id, telephone=telephone)

    async def ResolveFormerTelephones(
        self, request: pb.ResolveFormerTelephonesRequest, call: Call
    ) -> AsyncGenerator[pb.ResolveFormerTelephonesResponse]:
        """Give notify the telephones that were replaced, whose holders it tells now."""
        changes = {(one.member_id, one.version) for one in request.former_telephones}
        async with self._parts.database.read(call, request, role=Role.PROVINCE) as read:
            found = await former_telephones_of(read, self._parts.vault, changes)
            # The audit row is committed before the first number leaves.
            read.reply(pb.ResolveFormerTelephonesResponse(), subjects=sorted({member_id for member_id, _ in found}))
        for (member_id, version), telephone in found.items():
            former = pb.FormerTelephone(member_id=member_id, version=version)
            yield pb.ResolveFormerTelephonesResponse(former_telephone=former, telephone=telephone)

    async def _message(self, transaction: Transaction, record: PersonRecord) -> person_pb2.Person:
        keys = await self._parts.vault.keys_in({record.member_id: record.county_code})
        return person_message(await load_listed(transaction, record, keys.get(record.member_id)), whole=True)

    async def _corrections(
        self, transaction: Transaction, records: Sequence[Correction]
    ) -> list[person_pb2.Correction]:
        people = await find_people(transaction, [one.member_id for one in records])
        keys = await self._parts.vault.keys_in({one.member_id: one.county_code for one in records})
        return [
            correction_message(
                one,
                corrections.open_text(one, keys.get(one.member_id)),
                details=open_details(people[one.member_id].details, keys.get(one.member_id)),
            )
            for one in records
        ]


def _refuse_own(record: PersonRecord, call: Call) -> None:
    """Nobody decides about the own record: who asks and who answers are two people."""
    if record.member_id == member_of(call):
        raise OWN_RECORD()


def _messages(page: PeoplePage) -> list[person_pb2.Person]:
    return [person_message(one, whole=False) for one in page.people]


def _token(page: PeoplePage, *, query: str) -> str:
    return encode_page_token(page.next_after, query=query) if page.next_after else ""
