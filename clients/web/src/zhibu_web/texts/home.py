"""Texts of the home page."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "home.title": ("网上党支部", "Online Party Branch"),
    "home.lead_member": ("在这里过网上组织生活。", "Organisational life online."),
    "home.lead": (
        "党员在这里过网上组织生活。先用真实姓名申请电子身份证，批准后即可登录。",
        "Where members take part in Party life online. Apply for an e-ID with your real name; once it is approved, log in.",
    ),
    "home.apply": ("申请电子身份证", "Apply for an e-ID"),
    "home.apply_text": (
        "约 5 分钟，需要身份证和手机。",
        "About 5 minutes. Have your identity card and telephone at hand.",
    ),
    "home.case": ("查询办理进度", "Follow your case"),
    "home.case_text": ("用受理号和查询码，不用登录。", "With case number and case code; no log-in needed."),
    "home.login": ("登录", "Log in"),
    "home.login_text": ("用电子身份证号、密码和短信验证码。", "With e-ID number, password and a code by SMS."),
    "home.me": ("我的", "My page"),
    "home.me_text": ("查看电子身份证、所在党支部和职务。", "Your e-ID, your branch and your offices."),
    "home.branch_text": (
        "支部委员、党员、上网率，您能参加什么。",
        "Committee, members, online rate, what you can do there.",
    ),
    "home.services_text": (
        "成立或加入虚拟支部、更正信息、换手机号。",
        "Found or join a virtual branch, correct your data, change your telephone.",
    ),
    "home.inbox_text": ("没有未读消息。", "Nothing unread."),
    "home.tree_title": ("查找党组织", "Find an organisation"),
    "home.tree_text": (
        "各级党组织和党支部，不用登录就能查看。",
        "Organisations and branches of every level, without log-in.",
    ),
    "home.desk": ("工作台", "Desk"),
    "home.desk_text": ("审批申请、管理电子身份证和授权。", "Decide applications, look after e-IDs and offices."),
    "home.first_title": ("第一次登录？", "Logging in for the first time?"),
    "home.first_text": (
        "拿到电子身份证号和激活码后，请按说明一步一步激活。",
        "Once you have your e-ID number and activation code, the guide takes you through it step by step.",
    ),
    "home.first_link": ("首次登录说明", "Guide to the first log-in"),
    "home.help_title": ("需要帮忙？", "Need a hand?"),
    "home.help_text": (
        "不会操作、没有智能手机或看不清屏幕，都可以打电话，或到所在党支部请人协助。",
        "If you get stuck, have no smartphone or cannot read the screen well, call us or ask at your branch.",
    ),
    "home.care_title": ("我们怎样对待您的信息", "How we treat your data"),
    "home.care_text": (
        "只收集办证必需的信息，加密保存，只有经办人员能看到，每次查看都有记录。",
        "We ask only for what an e-ID needs, keep it encrypted, show it only to the clerks in charge, and record each look.",
    ),
}
