"""What the gateway answers about a member's inbox."""

from __future__ import annotations

from datetime import datetime

from zhibu_web.contract import Message

NOTICE_KINDS = (
    "NOTICE_KIND_EID",
    "NOTICE_KIND_MEMBERSHIP",
    "NOTICE_KIND_FOUNDING",
    "NOTICE_KIND_COMMITTEE",
    "NOTICE_KIND_RECORD",
    "NOTICE_KIND_SURVEY",
    "NOTICE_KIND_WORK",
)


class InboxItem(Message):
    inbox_item_id: str = ""
    kind: str = "NOTICE_KIND_UNSPECIFIED"
    template: str = ""
    title: str = ""
    body: str = ""
    link_path: str = ""
    urgent: bool = False
    read: bool = False
    create_time: datetime | None = None


class InboxPage(Message):
    items: tuple[InboxItem, ...] = ()
    next_page_token: str = ""
    unread_count: int = 0


class NoticePreference(Message):
    kind: str = "NOTICE_KIND_UNSPECIFIED"
    in_inbox: bool = False
    by_sms: bool = False


class NoticePreferences(Message):
    preferences: tuple[NoticePreference, ...] = ()
