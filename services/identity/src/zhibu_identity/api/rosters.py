"""RosterService: spreadsheets of departments come in, are checked, shown, committed; and go out again."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

from google.api import httpbody_pb2
from zhibu.identity.v1 import roster_pb2
from zhibu.identity.v1 import roster_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.db import Transaction
from zhibu_kit.errors import INVALID_PAGE_TOKEN, NOT_FOUND, field_error
from zhibu_kit.etag import check_etag
from zhibu_kit.ids import new_ulid
from zhibu_kit.notifications import Notifications
from zhibu_kit.paging import encode_page_token, page_of

from zhibu_identity import errors
from zhibu_identity.api.clerks import county_of, member_of
from zhibu_identity.api.roster_messages import roster_message, row_message
from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.organisations import Level, find_organisation
from zhibu_identity.parts import Parts
from zhibu_identity.rosters import records as rosters
from zhibu_identity.rosters.files import CSV, XLSX, export_people, list_exported_ids, problem_rows
from zhibu_identity.rosters.payloads import FILE_NAME, Chosen, open_chosen, open_plan, seal_chosen
from zhibu_identity.rosters.places import load_places
from zhibu_identity.rosters.reading.fields import Field
from zhibu_identity.rosters.reading.files import MOST_FILE_BYTES
from zhibu_identity.rosters.records import OPEN_STATES, Difference, Roster, RosterState, begin_checking, change_roster

# A notification that was lost with its connection is made up for after this.
LOOK_AGAIN_S: Final = 10.0
# A watcher is told at most this often, however fast rows are checked.
LEAST_PAUSE_S: Final = 0.2
MOST_MISSING: Final = 200
# Where a row stands in its roster, as a page token holds it.
_POSITION: Final = re.compile(r"[0-9]{1,9}")
_LEVELS: Final = frozenset({Level.COUNTY, Level.TOWNSHIP, Level.BRANCH})
_ENDS: Final = frozenset({RosterState.CHECKED, RosterState.FAILED, RosterState.APPLIED, RosterState.CANCELLED})


class RosterApi:
    """The RPCs of RosterService."""

    def __init__(self, parts: Parts, notifications: Notifications) -> None:
        """Work with these parts; `notifications` tell when a roster has advanced."""
        self._parts = parts
        self._notifications = notifications

    async def UploadRoster(
        self, requests: AsyncIterator[pb.UploadRosterRequest], call: Call
    ) -> pb.UploadRosterResponse:
        """Take in a file, sealed as it arrives, and have it checked."""
        first = await anext(requests)
        county_code = county_of(call)
        await self._check_level(first.organisation_id, call)
        roster_id, now = new_ulid(self._parts.clock), self._parts.clock.now()
        key = await self._parts.vault.create_member(roster_id, county_code, now=now)
        try:
            return await self._take_in(first, requests, call, key=key)
        except BaseException:
            # Nobody can read what has arrived of the file; the sweep removes it.
            await asyncio.shield(self._parts.vault.erase(roster_id))
            raise

    async def ListRosters(self, request: pb.ListRostersRequest, call: Call) -> pb.ListRostersResponse:
        """Page through the rosters of an organisation."""
        page = page_of(request.page_size, request.page_token, query=request.organisation_id)
        async with self._parts.database.transaction(call.scope) as transaction:
            found = await rosters.list_rosters(transaction, request.organisation_id, page=page)
        shown = found[: page.size]
        keys = await self._parts.vault.member_keys([record.roster_id for record in shown], county_of(call))
        token = ""
        if len(found) > page.size:
            token = encode_page_token((shown[-1].roster_id,), query=request.organisation_id)
        return pb.ListRostersResponse(
            rosters=[roster_message(record, keys.get(record.roster_id), language=call.language) for record in shown],
            next_page_token=token,
        )

    async def GetRoster(self, request: pb.GetRosterRequest, call: Call) -> pb.GetRosterResponse:
        """Show a roster with its mapping and sums."""
        async with self._parts.database.read(call, request) as read:
            record = await rosters.get_roster(read, request.roster_id, organisation_id=request.organisation_id)
            missing = await rosters.list_missing_branches(read, record.roster_id, most=MOST_MISSING)
            places = await load_places(read, record.county_code, organisation_id=record.organisation_id)
            key = await self._parts.vault.find_member_key(record.roster_id, record.county_code)
            message = roster_message(
                record,
                key,
                language=call.language,
                plan=open_plan(record.layout, key),
                missing=missing,
                places=places,
            )
            return read.reply(pb.GetRosterResponse(roster=message, etag=message.etag))

    async def WatchRoster(self, request: pb.WatchRosterRequest, call: Call) -> AsyncGenerator[pb.WatchRosterResponse]:
        """Send the roster each time it advances, until there is nothing to wait for."""
        with self._notifications.woken(rosters.CHANNEL) as woken:
            sent: roster_pb2.Roster | None = None
            while True:
                woken.clear()
                async with self._parts.database.transaction(call.scope) as transaction:
                    record = await rosters.get_roster(
                        transaction, request.roster_id, organisation_id=request.organisation_id
                    )
                message = roster_message(record, None, language=call.language)
                if message != sent:
                    sent = message
                    yield pb.WatchRosterResponse(roster=message)
                if record.state in _ENDS:
                    return
                await _wait(woken)

    async def UpdateRosterMapping(
        self, request: pb.UpdateRosterMappingRequest, call: Call
    ) -> pb.UpdateRosterMappingResponse:
        """Read and check the file anew under another mapping, or the same one."""
        async with self._parts.database.write(call, request, pb.UpdateRosterMappingResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await self._lock_open(write, request.roster_id, request.organisation_id, etag=request.etag)
            key = await self._key_of(record)
            chosen = open_chosen(record.chosen, key)
            sheet = request.sheet_name or chosen.sheet_name
            moved = bool(request.sheet_name) and request.sheet_name != chosen.sheet_name
            # Columns were chosen under other headings; on another sheet they mean nothing.
            fields = {} if moved else dict(chosen.fields)
            fields |= {column.index: Field(column.field) for column in request.columns}
            row = request.heading_row or (0 if moved else chosen.heading_row)
            sealed = seal_chosen(Chosen(sheet_name=sheet, heading_row=row, fields=fields), key)
            changed = await begin_checking(write, record, now=self._parts.clock.now(), values={"chosen": sealed})
            message = roster_message(changed, key, language=call.language)
            return write.reply(
                pb.UpdateRosterMappingResponse(roster=message, etag=message.etag), subjects=[record.roster_id]
            )

    async def ListRosterRows(self, request: pb.ListRosterRowsRequest, call: Call) -> pb.ListRosterRowsResponse:
        """Page through the rows of one kind."""
        query = f"{request.roster_id}/{request.difference}/{request.with_notices}"
        page = page_of(request.page_size, request.page_token, query=query)
        if page.after is not None and not _POSITION.fullmatch(page.after[0]):
            raise field_error("page_token", INVALID_PAGE_TOKEN)
        difference = Difference(request.difference) if request.difference else None
        async with self._parts.database.read(call, request) as read:
            record = await rosters.get_roster(read, request.roster_id, organisation_id=request.organisation_id)
            found = await rosters.list_rows(
                read, record.roster_id, difference=difference, page=page, noticed=request.with_notices
            )
            shown = found[: page.size]
            key = await self._key_of(record) if shown else None
            token = encode_page_token((str(shown[-1].position),), query=query) if len(found) > page.size else ""
            return read.reply(
                pb.ListRosterRowsResponse(
                    rows=[row_message(row, key, language=call.language) for row in shown] if key else [],
                    next_page_token=token,
                ),
                subjects=[row.member_id for row in shown if row.member_id],
            )

    async def DownloadRosterProblems(
        self, request: pb.DownloadRosterProblemsRequest, call: Call
    ) -> AsyncGenerator[httpbody_pb2.HttpBody]:
        """Download the bad rows, to be mended and uploaded again; or those with notices."""
        async with self._parts.database.read(call, request) as read:
            record = await rosters.get_roster(read, request.roster_id, organisation_id=request.organisation_id)
            key = await self._key_of(record)
            plan = open_plan(record.layout, key)
            if plan is None:
                raise NOT_FOUND(noun=rosters.NOUN)
            # The audit row is committed before the first name leaves.
            read.reply(httpbody_pb2.HttpBody(), subjects=[record.roster_id])
        async for piece in problem_rows(
            self._parts, record, key, plan=plan, language=call.language, noticed=request.notices
        ):
            yield httpbody_pb2.HttpBody(content_type=XLSX, data=piece)

    async def CommitRoster(self, request: pb.CommitRosterRequest, call: Call) -> pb.CommitRosterResponse:
        """Have the good rows committed as a whole."""
        async with self._parts.database.write(call, request, pb.CommitRosterResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await self._lock_open(write, request.roster_id, request.organisation_id, etag=request.etag)
            if record.state is not RosterState.CHECKED:
                raise errors.ROSTER_NOT_CHECKED()
            if record.problem_count and not request.leave_out_problems:
                raise errors.ROSTER_HAS_PROBLEMS(count=str(record.problem_count))
            changed = await change_roster(
                write,
                record,
                now=self._parts.clock.now(),
                state=RosterState.COMMITTING,
                values={"committed_by_member_id": member_of(call), "committed_count": 0},
            )
            message = roster_message(changed, await self._key_of(record), language=call.language)
            return write.reply(pb.CommitRosterResponse(roster=message, etag=message.etag), subjects=[record.roster_id])

    async def CancelRoster(self, request: pb.CancelRosterRequest, call: Call) -> pb.CancelRosterResponse:
        """Throw a roster away with all that was read from it."""
        async with self._parts.database.write(call, request, pb.CancelRosterResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await self._lock_open(write, request.roster_id, request.organisation_id, etag=request.etag)
            changed = await rosters.throw_away(write, record, now=self._parts.clock.now(), state=RosterState.CANCELLED)
            message = roster_message(changed, None, language=call.language)
            reply = write.reply(pb.CancelRosterResponse(roster=message, etag=message.etag), subjects=[record.roster_id])
        await self._parts.vault.erase(record.roster_id)
        return reply

    async def ExportRoster(self, request: pb.ExportRosterRequest, call: Call) -> AsyncGenerator[httpbody_pb2.HttpBody]:
        """Download the people of an organisation."""
        await self._check_level(request.organisation_id, call)
        as_csv = request.format == "csv"
        async with self._parts.database.read(call, request) as read:
            county_code = county_of(call)
            places = await load_places(read, county_code, organisation_id=request.organisation_id)
            # The audit row is committed before the first name leaves.
            shown = await list_exported_ids(read, county_code, places.branch_ids)
            read.reply(httpbody_pb2.HttpBody(), subjects=shown)
        async for piece in export_people(self._parts, request.organisation_id, scope=call.scope, as_csv=as_csv):
            yield httpbody_pb2.HttpBody(content_type=CSV if as_csv else XLSX, data=piece)

    async def _take_in(
        self,
        first: pb.UploadRosterRequest,
        requests: AsyncIterator[pb.UploadRosterRequest],
        call: Call,
        *,
        key: MemberKey,
    ) -> pb.UploadRosterResponse:
        database, roster_id, county_code = self._parts.database, key.member_id, county_of(call)
        async with database.transaction(call.scope) as transaction:
            await rosters.insert_roster(
                transaction,
                roster_id=roster_id,
                county_code=county_code,
                organisation_id=first.organisation_id,
                member_id=member_of(call),
                file_name=key.seal(first.file_name, place=FILE_NAME),
                now=self._parts.clock.now(),
            )
        sha256, size, position, waiting = hashlib.sha256(), 0, 0, bytearray()
        async for data in _pieces(first, requests):
            size += len(data)
            if size > MOST_FILE_BYTES:
                raise errors.ROSTER_TOO_LARGE()
            sha256.update(data)
            waiting += data
            while len(waiting) >= rosters.PIECE_BYTES:
                piece, waiting = bytes(waiting[: rosters.PIECE_BYTES]), waiting[rosters.PIECE_BYTES :]
                async with database.transaction(call.scope) as transaction:
                    await rosters.add_piece(transaction, key, county_code=county_code, position=position, content=piece)
                position += 1
        digest = rosters.digest_of(self._parts, sha256.hexdigest())
        # What is compared under one request id is the whole file.
        whole = pb.UploadRosterRequest(
            organisation_id=first.organisation_id,
            file_name=first.file_name,
            file=httpbody_pb2.HttpBody(data=digest),
            request_id=first.request_id,
        )
        async with database.write(call, whole, pb.UploadRosterResponse) as write:
            if write.replayed is None:
                if waiting:
                    await rosters.add_piece(
                        write, key, county_code=county_code, position=position, content=bytes(waiting)
                    )
                record = await rosters.find_roster(write, roster_id, lock=True)
                assert record is not None, "it was stored above"
                known = await rosters.find_same_file(write, first.organisation_id, digest=digest)
                if known is None:
                    known = await begin_checking(
                        write, record, now=self._parts.clock.now(), values={"file_digest": digest}
                    )
                else:
                    await rosters.forget_upload(write, roster_id)
                own = key if known.roster_id == roster_id else await self._key_of(known)
                message = roster_message(known, own, language=call.language)
                reply = write.reply(pb.UploadRosterResponse(roster=message, etag=message.etag))
            else:
                reply = write.replayed
        if reply.roster.roster_id == roster_id:
            await self._parts.vault.confirm(roster_id, county_code)
        else:
            await self._parts.vault.erase(roster_id)
        return reply

    async def _check_level(self, organisation_id: str, call: Call) -> None:
        async with self._parts.database.transaction(call.scope) as transaction:
            organisation = await find_organisation(transaction, organisation_id)
        if organisation is None or organisation.level not in _LEVELS or not organisation.county_code:
            raise errors.ROSTER_WRONG_LEVEL()

    async def _lock_open(self, write: Transaction, roster_id: str, organisation_id: str, *, etag: str) -> Roster:
        record = await rosters.get_roster(write, roster_id, organisation_id=organisation_id, lock=True)
        if record.state not in OPEN_STATES:
            raise errors.ROSTER_NOT_OPEN()
        check_etag(etag, record.version)
        return record

    async def _key_of(self, record: Roster) -> MemberKey:
        key = await self._parts.vault.find_member_key(record.roster_id, record.county_code)
        if key is None:
            raise NOT_FOUND(noun=rosters.NOUN)
        return key


async def _pieces(
    first: pb.UploadRosterRequest, requests: AsyncIterator[pb.UploadRosterRequest]
) -> AsyncGenerator[bytes]:
    yield first.file.data
    async for request in requests:
        yield request.file.data


async def _wait(woken: asyncio.Event) -> None:
    await asyncio.sleep(LEAST_PAUSE_S)
    try:
        async with asyncio.timeout(LOOK_AGAIN_S):
            await woken.wait()
    except TimeoutError:
        return
