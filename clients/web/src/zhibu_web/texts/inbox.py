"""Texts of the inbox."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "inbox.title": ("消息", "Inbox"),
    "inbox.views": ("查看", "Views"),
    "inbox.view.all": ("全部", "All"),
    "inbox.view.unread": ("未读", "Unread"),
    "inbox.kind": ("类别", "Kind"),
    "inbox.every_kind": ("全部类别", "Every kind"),
    "inbox.show": ("查看", "Show"),
    "inbox.new": ("未读", "New"),
    "inbox.urgent": ("紧急", "Urgent"),
    "inbox.open": ("去看看", "Open"),
    "inbox.seen": ("知道了", "Mark as read"),
    "inbox.empty.all": ("还没有消息。", "There are no notices."),
    "inbox.empty.unread": ("没有未读消息。", "There are no unread notices."),
    "inbox.read_all": ("全部标为已读", "Mark all as read"),
    "inbox.all_read": ("所有消息已标为已读。", "All notices are marked as read."),
    "inbox.preferences": ("消息设置", "Settings of notices"),
    "inbox.preferences_text": (
        "选择要接收哪些消息。与账号安全有关的紧急消息总会发送。短信只在本县开通时发送。",
        (
            "Choose which notices you want. Urgent ones about the safety of your account always come. "
            "Messages by SMS are sent only where your county does so."
        ),
    ),
    "inbox.by_inbox": ("在这里收消息", "In this inbox"),
    "inbox.by_sms": ("同时发短信", "By SMS too"),
    "inbox.preferences_save": ("保存", "Save"),
    "inbox.preferences_saved": ("设置已保存。", "The settings were saved."),
    "inbox.preferences_changed": (
        "设置刚刚在别处改过，下面是现在的情况，请再选一次。",
        "The settings were changed elsewhere; this is how they stand now. Please choose again.",
    ),
}
