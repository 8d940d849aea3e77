"""What members call about themselves: the own record, everything kept about them, corrections, another telephone; names."""

from __future__ import annotations

from google.api import httpbody_pb2
from zhibu.identity.v1 import people_service_pb2 as pb
from zhibu.identity.v1 import person_pb2
from zhibu_kit.call import Call
from zhibu_kit.db import Role, Transaction
from zhibu_kit.errors import NOT_FOUND, PERMISSION_DENIED
from zhibu_kit.etag import etag_of
from zhibu_kit.scope import Scope

from zhibu_identity.api.clerks import member_of
from zhibu_identity.api.person_messages import correction_message, person_message
from zhibu_identity.eids.records import find_living_eid
from zhibu_identity.errors import LOGIN_TOO_OLD, TELEPHONE_PROOF_INVALID
from zhibu_identity.parts import Parts
from zhibu_identity.people import changes as person_changes
from zhibu_identity.people import corrections
from zhibu_identity.people.corrections import Correction, get_correction, list_of_member, request_correction
from zhibu_identity.people.lists import load_listed
from zhibu_identity.people.my_data import collect_my_data
from zhibu_identity.people.names import look_up_names
from zhibu_identity.people.records import NOUN, PersonRecord, find_person, get_person, open_details
from zhibu_identity.rules.login import is_fresh
from zhibu_identity.rules.person import Field
from zhibu_identity.telephones.proofs import use_proof


class MyPersonApi:
    """The members' own RPCs of PeopleService."""

    def __init__(self, parts: Parts) -> None:
        """Work with these parts."""
        self._parts = parts

    async def GetMyPerson(self, request: pb.GetMyPersonRequest, call: Call) -> pb.GetMyPersonResponse:
        """Show the own record."""
        async with self._parts.database.read(call, request, role=Role.PROVINCE) as read:
            record = await self._mine(read, call)
            return read.reply(
                pb.GetMyPersonResponse(person=await self._message(read, record), etag=etag_of(record.version))
            )

    async def DownloadMyData(self, request: pb.DownloadMyDataRequest, call: Call) -> httpbody_pb2.HttpBody:
        """Give everything that is kept about the caller."""
        scope = await self._home(call)
        async with self._parts.database.read(call.within(scope), request) as read:
            record = await get_person(read, member_of(call))
            data = await collect_my_data(read, self._parts, record)
            body = httpbody_pb2.HttpBody(content_type="application/json", data=data)
            return read.reply(body, subjects=[record.member_id])

    async def LookUpNames(self, request: pb.LookUpNamesRequest, call: Call) -> pb.LookUpNamesResponse:
        """Give the names that the caller may know."""
        async with self._parts.database.read(call, request, role=Role.PROVINCE) as read:
            names = await look_up_names(read, self._parts, request.member_ids, caller=call.caller)
            return read.reply(
                pb.LookUpNamesResponse(
                    names=[pb.MemberName(member_id=member_id, real_name=name) for member_id, name in names.items()]
                ),
                subjects=list(names),
            )

    async def ChangeMyTelephone(self, request: pb.ChangeMyTelephoneRequest, call: Call) -> pb.ChangeMyTelephoneResponse:
        """Take another telephone, which was proven, soon after logging in."""
        parts = self._parts
        if not is_fresh(call.caller.authenticated_at, now=parts.clock.now()):
            raise LOGIN_TOO_OLD()
        scope = await self._home(call)
        async with parts.database.write(call.within(scope), request, pb.ChangeMyTelephoneResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await get_person(write, member_of(call), lock=True)
            if not await use_proof(write, parts, request.telephone_proof_token, telephone=request.telephone):
                raise TELEPHONE_PROOF_INVALID()
            changed, _ = await person_changes.change_telephone(write, parts, record, request.telephone)
            return write.reply(
                pb.ChangeMyTelephoneResponse(person=await self._message(write, changed), etag=etag_of(changed.version))
            )

    async def RequestCorrection(self, request: pb.RequestCorrectionRequest, call: Call) -> pb.RequestCorrectionResponse:
        """Ask for a correction of the own record."""
        parts, scope = self._parts, await self._home(call)
        async with parts.database.write(call.within(scope), request, pb.RequestCorrectionResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await get_person(write, member_of(call), lock=True)
            made = await request_correction(
                write,
                parts,
                record,
                field=Field(request.field),
                wanted_value=request.wanted_value,
                reason=request.reason,
            )
            message = await self._correction(record, made)
            return write.reply(pb.RequestCorrectionResponse(correction=message, etag=message.etag))

    async def ListMyCorrections(self, request: pb.ListMyCorrectionsRequest, call: Call) -> pb.ListMyCorrectionsResponse:
        """Show what the caller asked for."""
        scope = await self._home(call)
        async with self._parts.database.transaction(scope) as transaction:
            record = await get_person(transaction, member_of(call))
            found = await list_of_member(transaction, record.member_id)
        return pb.ListMyCorrectionsResponse(corrections=[await self._correction(record, one) for one in found])

    async def WithdrawCorrection(
        self, request: pb.WithdrawCorrectionRequest, call: Call
    ) -> pb.WithdrawCorrectionResponse:
        """Take a correction back."""
        parts, scope = self._parts, await self._home(call)
        async with parts.database.write(call.within(scope), request, pb.WithdrawCorrectionResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await get_person(write, member_of(call), lock=True)
            wish = await get_correction(write, request.correction_id, lock=True)
            if wish.member_id != record.member_id:
                raise NOT_FOUND(noun=corrections.NOUN)
            ended = await corrections.withdraw_correction(write, parts, wish, person_record=record)
            message = await self._correction(record, ended)
            return write.reply(pb.WithdrawCorrectionResponse(correction=message, etag=message.etag))

    async def _home(self, call: Call) -> Scope:
        """Return the scope of the caller's county: tokens name another one for some minutes after a move.

        Raises:
            ServiceError: NOT_FOUND when the account belongs to no living e-ID.
        """
        async with self._parts.database.transaction(Scope.none(), role=Role.PROVINCE) as transaction:
            return Scope.of((await self._mine(transaction, call)).county_code)

    async def _mine(self, transaction: Transaction, call: Call) -> PersonRecord:
        member_id = call.caller.member_id
        if member_id is None:
            raise PERMISSION_DENIED()
        eid = await find_living_eid(transaction, member_id)
        record = await find_person(transaction, member_id)
        if record is None or eid is None or eid.account_id != call.caller.account_id:
            raise NOT_FOUND(noun=NOUN)
        return record

    async def _message(self, transaction: Transaction, record: PersonRecord) -> person_pb2.Person:
        keys = await self._parts.vault.keys_in({record.member_id: record.county_code})
        return person_message(await load_listed(transaction, record, keys.get(record.member_id)), whole=True)

    async def _correction(self, record: PersonRecord, wish: Correction) -> person_pb2.Correction:
        key = await self._parts.vault.find_member_key(record.member_id, record.county_code)
        return correction_message(wish, corrections.open_text(wish, key), details=open_details(record.details, key))
