"""Texts of the e-ID desk."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "eids.title": ("电子身份证", "e-IDs"),
    "eids.search": ("查找电子身份证", "Find an e-ID"),
    "eids.search_hint": (
        "姓名、全拼、拼音首字母、电子身份证号，或身份证号、手机号的后 4 位或后 6 位",
        "Name, pinyin, initials, e-ID number, or the last 4 or 6 digits of a number",
    ),
    "eids.tab.all": ("全部", "All"),
    "eids.tab.issued": ("待激活", "Not yet activated"),
    "eids.tab.active": ("使用中", "In use"),
    "eids.tab.revoked": ("已注销", "Revoked"),
    "eids.tab.search": ("查找结果", "Found"),
    "eids.empty": ("没有电子身份证。", "There are no e-IDs."),
    "eids.number": ("电子身份证号", "e-ID number"),
    "eids.issued": ("发证时间", "Issued"),
    "eids.table": ("电子身份证列表", "e-IDs"),
    "eid.title": ("{name}的电子身份证", "e-ID of {name}"),
    "eid.back": ("返回列表", "Back to the list"),
    "eid.resident": ("身份证尾号", "Resident number ends in"),
    "eid.telephone": ("手机尾号", "Telephone ends in"),
    "eid.activation_expires": ("激活码有效期至", "Activation code good until"),
    "eid.revoked_on": ("注销时间", "Revoked"),
    "eid.revoked_why": ("注销原因", "Why it was revoked"),
    "eid.activation": ("激活码", "Activation code"),
    "eid.activation_text": (
        "发一个新的激活码，7 天内有效，旧的立即作废。请先核对本人和身份证。",
        "Make a new activation code, good for 7 days; the old one becomes void. Check the person and the identity card first.",
    ),
    "eid.activation_show": ("生成激活码，当面交给本人", "Make a code to hand over in person"),
    "eid.activation_send": ("发到本人已验证的手机", "Send it to the proven telephone"),
    "eid.activation_send_off": (
        "本县没有开通把激活码发到手机，须当面领取。",
        "This county does not send activation codes by telephone; hand it over in person.",
    ),
    "eid.activation_sent": ("新的激活码已发到本人手机。", "A new activation code was sent to the telephone."),
    "eid.code_title": ("激活码", "Activation code"),
    "eid.code_warning": (
        "只显示这一次。请打印或抄写后当面交给本人，不要拍照或转发。",
        "Shown only this once. Print it or write it down and hand it over in person; no photographs, no forwarding.",
    ),
    "eid.code_until": ("有效期至", "Good until"),
    "eid.code_how": (
        "登录时，电子身份证号填上面的号码，密码填激活码，然后按提示设置自己的密码。",
        "To log in, enter the e-ID number above and the activation code as the password, then set a password of your own.",
    ),
    "eid.code_done": ("已交给本人，返回", "Handed over; go back"),
    "eid.revoke": ("注销电子身份证", "Revoke this e-ID"),
    "eid.revoke_title": ("注销{name}的电子身份证", "Revoke the e-ID of {name}"),
    "eid.revoke_text": (
        "注销后立即退出登录，一分钟内在所有地方都不能再用，且不能恢复。",
        "The member is logged out at once and refused everywhere within a minute. This cannot be undone.",
    ),
    "eid.revoke_reason": ("注销的原因", "Why it is revoked"),
    "eid.revoke_reason_missing": ("请选择注销的原因", "Choose a reason"),
    "eid.revoke_note": ("备注（存档）", "Words for the file"),
    "eid.revoke_note_missing": ("选“其他原因”时，请写明原因", "With “Another reason”, say what it is"),
    "eid.revoke_confirm": (
        "我确认要注销{name}（{number}）",
        "I confirm that the e-ID of {name} ({number}) shall be revoked",
    ),
    "eid.revoke_confirm_missing": ("请打勾确认", "Tick to confirm"),
    "eid.revoke_yes": ("注销", "Revoke"),
    "eid.revoked": ("已注销，一分钟内在所有地方失效。", "Revoked. It is refused everywhere within a minute."),
}
