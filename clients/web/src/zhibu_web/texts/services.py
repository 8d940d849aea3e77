"""Texts of the page that lists what members can do."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "services.title": ("办事", "Services"),
    "services.group_branch": ("党支部", "Branches"),
    "services.group_me": ("我的信息", "My data"),
    "services.group_find": ("查询和帮助", "Look up and help"),
    "services.foundings": ("成立虚拟支部", "Found a virtual branch"),
    "services.foundings_text": (
        "发起成立，或给别人发起的联名。",
        "Propose one, or sign one that others propose.",
    ),
    "services.join": ("加入虚拟支部", "Join a virtual branch"),
    "services.join_text": ("先查找支部，再申请加入。", "Find the branch, then ask to join."),
    "services.survey": ("填写上网条件", "Answer the survey"),
    "services.survey_text": ("两个问题，关系到支部能否上线。", "Two questions; your branch goes online by them."),
    "services.corrections": ("更正我的信息", "Correct my data"),
    "services.corrections_text": ("登记的信息有错，申请更正。", "Ask for a correction of what is recorded."),
    "services.telephone": ("更换手机号", "Change the telephone"),
    "services.telephone_text": ("换了手机，在这里改登录用的号码。", "A new telephone for logging in."),
    "services.data": ("查看和下载我的数据", "See and download my data"),
    "services.data_text": ("平台保存了您的哪些信息。", "What the platform keeps about you."),
    "services.organisations": ("查组织机构", "Look up organisations"),
    "services.organisations_text": (
        "省、市、县、乡镇和党支部。",
        "Province, cities, counties, townships and branches.",
    ),
    "services.help": ("帮助", "Help"),
    "services.help_text": ("怎样使用，怎样求助。", "How things work and whom to ask."),
}
