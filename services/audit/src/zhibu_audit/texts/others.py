"""Acts of the log itself and of notify."""

from typing import Final

OTHERS: Final[dict[str, tuple[str, str]]] = {
    "audit.entries.exported": ("导出日志条目", "exported entries of the log"),
    "audit.entries.searched": ("查找日志条目", "searched the log"),
    "audit.entry.proven": ("取得条目的证明", "took the proof of an entry"),
    "audit.incident.signed": ("签署日志事件", "signed an incident of the log"),
    "audit.entries.read": ("读取日志原文", "read entries of the log as they stand"),
    "notify.code.sent": ("发送验证码", "sent a one-time code"),
    "notify.inbox.marked_read": ("标记消息已读", "marked messages as read"),
    "notify.notice_settings.updated": ("修改消息发送设置", "changed the settings of notices"),
    "notify.preferences.updated": ("修改本人消息偏好", "changed the own preferences of notices"),
}
