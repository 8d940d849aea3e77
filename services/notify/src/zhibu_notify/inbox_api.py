"""InboxService as the contract names it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import Row
from zhibu.notify.v1 import inbox_pb2
from zhibu.notify.v1 import inbox_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database, Transaction
from zhibu_kit.errors import EN, INVALID_ARGUMENT, INVALID_PAGE_TOKEN, NOT_FOUND, PERMISSION_DENIED, field_error
from zhibu_kit.etag import etag_of
from zhibu_kit.paging import encode_page_token, page_of

from zhibu_notify.inbox import count_unread, list_items, mark_read
from zhibu_notify.notice_rules import QuietHours
from zhibu_notify.notice_settings import Settings, count_sent, find_settings, update_settings
from zhibu_notify.organisation_names import names_of
from zhibu_notify.preferences import Preference, Preferences, find_preferences, update_preferences
from zhibu_notify.texts import Kind
from zhibu_notify.wording import find_template, organisations_of, words_of

_ANY_KIND: Final = inbox_pb2.NOTICE_KIND_UNSPECIFIED


class InboxApi:
    """Handlers of zhibu.notify.v1.InboxService."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take the database and the clock."""
        self._database = database
        self._clock = clock

    async def ListMyInbox(self, request: pb.ListMyInboxRequest, call: Call) -> pb.ListMyInboxResponse:
        query = f"{request.unread_only}\n{request.kind}"
        page = page_of(request.page_size, request.page_token, query=query)
        member_id = _member_of(call)
        async with self._database.read(call, request) as read:
            rows = await list_items(
                read,
                member_id,
                unread_only=request.unread_only,
                kind=None if request.kind == _ANY_KIND else Kind(request.kind),
                before=_one(page.after) if page.after else None,
                count_max=page.size + 1,
            )
            shown = rows[: page.size]
            response = pb.ListMyInboxResponse(
                items=await _messages(read, shown, english=call.language == EN),
                unread_count=await count_unread(read, member_id),
            )
            if len(rows) > page.size:
                response.next_page_token = encode_page_token([shown[-1].inbox_item_id], query=query)
            return read.reply(response)

    async def CountMyUnread(self, request: pb.CountMyUnreadRequest, call: Call) -> pb.CountMyUnreadResponse:
        member_id = _member_of(call)
        async with self._database.read(call, request) as read:
            return read.reply(pb.CountMyUnreadResponse(unread_count=await count_unread(read, member_id)))

    async def MarkInboxRead(self, request: pb.MarkInboxReadRequest, call: Call) -> pb.MarkInboxReadResponse:
        member_id = _member_of(call)
        async with self._database.write(call, request, pb.MarkInboxReadResponse) as write:
            if write.replayed is not None:
                return write.replayed
            left = await mark_read(write, member_id, inbox_item_ids=request.inbox_item_ids, now=self._clock.now())
            return write.reply(pb.MarkInboxReadResponse(unread_count=left), subjects=[member_id])

    async def GetMyNoticePreferences(
        self, request: pb.GetMyNoticePreferencesRequest, call: Call
    ) -> pb.GetMyNoticePreferencesResponse:
        member_id = _member_of(call)
        async with self._database.read(call, request) as read:
            found = await find_preferences(read, member_id)
            return read.reply(
                pb.GetMyNoticePreferencesResponse(preferences=_preferences(found), etag=etag_of(found.version))
            )

    async def UpdateMyNoticePreferences(
        self, request: pb.UpdateMyNoticePreferencesRequest, call: Call
    ) -> pb.UpdateMyNoticePreferencesResponse:
        member_id = _member_of(call)
        kinds = [one.kind for one in request.preferences]
        if len(set(kinds)) != len(kinds):
            raise field_error("preferences", INVALID_ARGUMENT)
        async with self._database.write(call, request, pb.UpdateMyNoticePreferencesResponse) as write:
            if write.replayed is not None:
                return write.replayed
            changed = await update_preferences(
                write,
                member_id,
                wanted=[
                    Preference(kind=Kind(one.kind), in_inbox=one.in_inbox, by_sms=one.by_sms)
                    for one in request.preferences
                ],
                etag=request.etag,
                now=self._clock.now(),
            )
            return write.reply(
                pb.UpdateMyNoticePreferencesResponse(preferences=_preferences(changed), etag=etag_of(changed.version)),
                subjects=[member_id],
            )

    async def GetNoticeSettings(self, request: pb.GetNoticeSettingsRequest, call: Call) -> pb.GetNoticeSettingsResponse:
        county_code = _county_of(call, request.organisation_id)
        async with self._database.read(call, request) as read:
            found = await find_settings(read, county_code)
            return read.reply(
                pb.GetNoticeSettingsResponse(
                    settings=await self._settings(read, county_code, found), etag=etag_of(found.version)
                )
            )

    async def UpdateNoticeSettings(
        self, request: pb.UpdateNoticeSettingsRequest, call: Call
    ) -> pb.UpdateNoticeSettingsResponse:
        county_code = _county_of(call, request.organisation_id)
        wanted = request.settings
        async with self._database.write(call, request, pb.UpdateNoticeSettingsResponse) as write:
            if write.replayed is not None:
                return write.replayed
            changed = await update_settings(
                write,
                county_code,
                sms_kinds=wanted.sms_kinds,
                quiet_hours=QuietHours(from_hour=wanted.quiet_from_hour, until_hour=wanted.quiet_until_hour),
                etag=request.etag,
                now=self._clock.now(),
            )
            return write.reply(
                pb.UpdateNoticeSettingsResponse(
                    settings=await self._settings(write, county_code, changed), etag=etag_of(changed.version)
                )
            )

    async def _settings(self, transaction: Transaction, county_code: str, settings: Settings) -> pb.NoticeSettings:
        sent = await count_sent(transaction, county_code, now=self._clock.now())
        return pb.NoticeSettings(
            sms_kinds=[inbox_pb2.NoticeKind.ValueType(kind) for kind in sorted(settings.sms_kinds)],
            quiet_from_hour=settings.quiet_hours.from_hour,
            quiet_until_hour=settings.quiet_hours.until_hour,
            sent_this_month_count=sent.message_count,
            waiting_count=sent.waiting_count,
        )


def _member_of(call: Call) -> str:
    member_id = call.caller.member_id
    if not member_id:
        # An account without a member has nothing of its own here.
        raise PERMISSION_DENIED()
    return member_id


def _county_of(call: Call, organisation_id: str) -> str:
    # A township or a branch has no settings of its own; to change the county's under its name would surprise somebody.
    if organisation_id not in call.scope.counties:
        raise NOT_FOUND(noun="record")
    return organisation_id


def _one(after: Sequence[str]) -> str:
    match after:
        case (inbox_item_id,):
            return inbox_item_id
        case _:
            raise field_error("page_token", INVALID_PAGE_TOKEN)


async def _messages(transaction: Transaction, rows: Sequence[Row[Any]], *, english: bool) -> list[inbox_pb2.InboxItem]:
    names = await names_of(transaction, organisations_of(row.parameters for row in rows))
    items: list[inbox_pb2.InboxItem] = []
    for row in rows:
        item = inbox_pb2.InboxItem(
            inbox_item_id=row.inbox_item_id,
            kind=inbox_pb2.NoticeKind.ValueType(row.kind),
            template=row.template,
            urgent=row.urgent,
            read=row.read_time is not None,
            create_time=_timestamp(row.create_time),
        )
        # One of a version to come stands there without words rather than not at all.
        if (template := find_template(row.template)) is not None:
            words = words_of(template, row.parameters, names=names, english=english)
            item.title, item.body, item.link_path = words.title, words.body, words.link_path
        items.append(item)
    return items


def _preferences(preferences: Preferences) -> Iterable[inbox_pb2.NoticePreference]:
    return [
        inbox_pb2.NoticePreference(
            kind=inbox_pb2.NoticeKind.ValueType(int(one.kind)), in_inbox=one.in_inbox, by_sms=one.by_sms
        )
        for one in preferences.every
    ]


def _timestamp(instant: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(instant)
    return timestamp
