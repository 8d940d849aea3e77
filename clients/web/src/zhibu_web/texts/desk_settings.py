"""Texts of a county's parameters and of officers' certificates."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "settings.general": ("基本设置", "General"),
    "settings.kinds": ("虚拟支部类型", "Kinds of virtual branches"),
    "settings.kinds_text": (
        "党员发起虚拟支部时从这些类型里选。用过的类型可以停用，不能删除。",
        "Members choose among these kinds. One in use can be closed, not removed.",
    ),
    "settings.kind": ("代号（小写字母）", "Name (small letters)"),
    "settings.kind_zh": ("中文名称", "Chinese name"),
    "settings.kind_en": ("英文名称", "English name"),
    "settings.kind_active": ("可以发起", "Open"),
    "settings.kind_bad": (
        "代号由 3 到 41 个小写字母和下划线组成",
        "A name has 3 to 41 small letters and underscores",
    ),
    "settings.kind_name_missing": ("请填写中文名称，最多 40 个字", "Enter a Chinese name of up to 40 characters"),
    "settings.rights": ("党员权利", "Rights"),
    "settings.rights_text": (
        "哪些事在实体支部办，哪些事在虚拟支部办。改动从下一次投票或会议起生效。",
        "What is done in the physical branch and what in a virtual one. Changes hold from the next act on.",
    ),
    "settings.act": ("事项", "Act"),
    "settings.full_only": ("只限正式党员", "Full members only"),
    "settings.article": ("依据", "Where it is written"),
    "settings.survey": ("上线条件", "Going online"),
    "settings.survey_text": (
        "支部里有设备、能上网的党员达到多少，可以上线。",
        "From which share of equipped members a branch may go online.",
    ),
    "settings.threshold": ("上线所需比例（%）", "Share needed (%)"),
    "settings.threshold_hint": ("论文规定 50%", "50% by the paper"),
    "settings.hysteresis": ("提醒幅度（百分点）", "Warned when so far below (points)"),
    "settings.hysteresis_hint": (
        "上线后比例降到“上线比例减去这个数”以下才提醒，避免来回变动",
        "A branch that is online is warned only below the share less this, so that it does not flicker",
    ),
    "settings.notices": ("短信通知", "Notices by SMS"),
    "settings.notices_text": (
        "勾选的通知，除站内消息外，还给愿意接收的党员发短信。紧急的不受此限。",
        "Those ticked also go by SMS to members who want it. Urgent ones always go.",
    ),
    "settings.sms_kinds": ("发短信的通知", "Sent by SMS"),
    "settings.sent": ("本月已发 {sent} 条，等待发送 {waiting} 条。", "Sent this month: {sent}; waiting: {waiting}."),
    "settings.quiet_from": ("几点起不发", "Rest from (hour)"),
    "settings.quiet_until": ("到几点", "until (hour)"),
    "settings.quiet_hint": ("0 到 23", "0 to 23"),
    "settings.number_bad": ("请填 {least} 到 {most} 之间的数", "Enter a number from {least} to {most}"),
    "certificate.intro": (
        "干部用密钥盘登录时需要证书。这里提出申请，干部本人在“我的”页面确认后才签发；丢失立即吊销。",
        "Officers who log in with a key stick need a certificate. It is asked for here, and signed when the officer confirms it.",
    ),
    "certificate.new": ("申请证书", "Ask for a certificate"),
    "certificate.new_text": (
        "提交后并不签发：系统短信通知这位干部，由本人登录、核对指纹后确认。七天内没有确认就失效。",
        (
            "Nothing is signed yet: the officer is told by SMS, logs in, compares the fingerprint and confirms. "
            "After seven days without that it lapses."
        ),
    ),
    "certificate.officer": ("干部", "Officer"),
    "certificate.officer_hint": ("只列出在本组织任职的人", "Those who hold an office here"),
    "certificate.officer_missing": ("请选择干部", "Choose an officer"),
    "certificate.request": ("证书请求（粘贴）", "Signing request (paste)"),
    "certificate.request_hint": (
        "以 -----BEGIN CERTIFICATE REQUEST----- 开头的全部文字",
        "Everything from -----BEGIN CERTIFICATE REQUEST----- on",
    ),
    "certificate.request_bad": ("请粘贴或上传完整的证书请求", "Paste or upload a whole signing request"),
    "certificate.file": ("或者上传请求文件", "Or upload the file"),
    "certificate.file_hint": ("选了文件就以文件为准", "A file counts instead of the text"),
    "certificate.issue": ("提交申请", "Ask the officer"),
    "certificate.asked": ("已通知本人，等待确认。", "The officer was told and has to confirm."),
    "certificate.asked_by": ("申请人", "Asked for by"),
    "certificate.asked_at": ("申请时间", "Asked for on"),
    "certificate.decided_at": ("办结时间", "Decided on"),
    "certificate.until": ("请在{day}前确认", "to be confirmed by {day}"),
    "certificate.key": ("密钥指纹（SHA-256）", "Fingerprint of the key (SHA-256)"),
    "certificate.waiting_text": (
        "等待{name}本人登录，在“我的”页面确认，{day}前有效。确认之前没有证书，这个密钥盘不能登录。",
        "Waits until {name} logs in and confirms it on “My page”, {day} at the latest. Until then there is no certificate.",
    ),
    "certificate.refused_text": (
        "{name}拒绝了这份申请，没有签发证书。请当面核实；如果不是本人或者贵单位申请的，请告知安全员。",
        "{name} refused it; nothing was signed. Ask in person, and tell the security officer if neither of you wanted it.",
    ),
    "certificate.expired_text": (
        "{name}七天内没有确认，申请已失效，可以重新申请。",
        "{name} did not confirm it within seven days; it can be asked for anew.",
    ),
    "certificate.withdraw": ("撤回申请", "Withdraw it"),
    "certificate.withdrawn_done": ("申请已撤回。", "It was withdrawn."),
    "certificate.file_title": ("证书文件", "The certificate as a file"),
    "certificate.file_text": (
        "下载证书（或复制下面的全部内容存成文件），写入密钥盘。",
        "Download the certificate (or copy all of it into a file) and write it to the key stick.",
    ),
    "certificate_state.CERTIFICATE_STATE_UNSPECIFIED": ("未说明", "Not stated"),
    "certificate_state.CERTIFICATE_STATE_WAITING": ("等待本人确认", "Waits for the officer"),
    "certificate_state.CERTIFICATE_STATE_ISSUED": ("有效", "Good"),
    "certificate_state.CERTIFICATE_STATE_REFUSED": ("本人已拒绝", "Refused by the officer"),
    "certificate_state.CERTIFICATE_STATE_WITHDRAWN": ("已撤回", "Withdrawn"),
    "certificate_state.CERTIFICATE_STATE_EXPIRED": ("逾期未确认", "Not confirmed in time"),
    "certificate_state.CERTIFICATE_STATE_REVOKED": ("已吊销", "Revoked"),
    "certificate.serial": ("序列号", "Serial number"),
    "certificate.fingerprint": ("证书指纹（SHA-256）", "Fingerprint of the certificate (SHA-256)"),
    "certificate.period": ("有效期", "Good"),
    "certificate.run_out": ("已过期", "Run out"),
    "certificate.revoke": ("吊销", "Revoke"),
    "certificate.revoke_text": (
        "吊销后这个密钥立即不能登录，不能恢复。电子身份证不受影响。",
        "The key stick opens nothing any more; this cannot be undone. The e-ID stays.",
    ),
    "certificate.download": ("下载证书", "Download the certificate"),
    "certificate.revoked_already": ("这张证书已经吊销。", "This certificate is revoked already."),
    "certificate.revoked_done": (
        "证书已吊销。本人过一分钟可以用密码和短信验证码登录。",
        "The certificate was revoked. Its holder can log in with password and code by SMS in a minute.",
    ),
    "certificate.none": (
        "还没有申请过证书。先用密钥盘生成请求，再点“申请证书”。",
        "No certificate has been asked for. Make a request with a key stick, then ask for one.",
    ),
    "certificate_reason.CERTIFICATE_REVOCATION_REASON_UNSPECIFIED": ("未说明", "Not stated"),
    "certificate_reason.CERTIFICATE_REVOCATION_REASON_KEY_LOST": ("密钥丢失", "Key stick lost"),
    "certificate_reason.CERTIFICATE_REVOCATION_REASON_KEY_COMPROMISED": (
        "密钥可能被他人使用",
        "Others may have used it",
    ),
    "certificate_reason.CERTIFICATE_REVOCATION_REASON_OFFICE_ENDED": ("不再任职", "The office ended"),
    "certificate_reason.CERTIFICATE_REVOCATION_REASON_SUPERSEDED": ("换发新证书", "Another one follows"),
}
