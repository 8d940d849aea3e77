"""Acts of the log itself and of notify."""

from typing import Final

OTHERS: Final[dict[str, tuple[str, str]]] = {
    "audit.entries.exported": ("导出日志条目", "exported entries of the log"),
    "audit.entries.searched": ("查找日志条目", "searched the log"),
    "audit.entry.proven": ("取得条目的证明", "took the proof of an entry"),
    "audit.incident.signed": ("签署日志事件", "signed an incident of the log"),
    "audit.bundle.read": ("读取日志原文", "read entries as they stand in the log"),
    "notify.code.sent": ("发送验证码", "sent a one-time code"),
    "notify.inbox.marked_read": ("标记消息已读", "marked messages as read"),
    "notify.notice_settings.updated": ("修改消息发送设置", "changed the settings of notices"),
    "notify.preferences.updated": ("修改本人消息偏好", "changed the own preferences of notices"),
}

# Entries of the log itself, which no call makes.
OF_THE_LOG: Final[dict[str, tuple[str, str]]] = {
    "log.incident": ("日志事件登记在案", "an incident of the log was put on record"),
    "log.origin": ("日志重新开始", "the log was begun anew"),
}
