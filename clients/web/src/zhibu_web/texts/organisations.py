"""Texts of the organisation tree and of joining a virtual branch."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "organisations.title": ("组织机构", "Organisations"),
    "organisations.intro": (
        "从省一级一级往下查，或直接输入名称查找。",
        "Go down level by level from the province, or search by name.",
    ),
    "organisations.search": ("组织名称", "Name of an organisation"),
    "organisations.find": ("查找", "Search"),
    "organisations.found_title": ("查找“{query}”", "Search for “{query}”"),
    "organisations.found_none": (
        "没有找到。请换个说法，或只输入名称的一部分。",
        "Nothing found. Try other words or only a part of the name.",
    ),
    "organisations.children": ("下级 {count} 个", "{count} below"),
    "organisations.below": ("下级组织", "Organisations below"),
    "organisations.below_none": ("没有下级组织。", "There are no organisations below."),
    "organisations.place": ("在组织中的位置", "Place in the tree"),
    "organisations.dissolved": ("已撤销", "dissolved"),
    "organisations.ended": ("这个组织已经撤销。", "This organisation no longer exists."),
    "organisations.successor": ("并入：", "Taken over by:"),
    "organisations.as_of": ("查看某一天的组织机构", "See the tree as of another day"),
    "organisations.as_of_shown": ("这里显示的是 {day} 的情况。", "This shows how it stood on {day}."),
    "organisations.today": ("回到今天", "Back to today"),
    "organisations.day": ("日期", "Day"),
    "organisations.day_hint": ("例如 2026-07-01", "For example 2026-07-01"),
    "organisations.day_bad": (
        "日期不对，请按“年-月-日”填写，例如 2026-07-01",
        "That is no day; write it as year-month-day, for example 2026-07-01",
    ),
    "organisations.show": ("查看", "Show"),
    "organisations.history": ("历史沿革", "History"),
    "organisations.period": ("{start} 至 {end}", "{start} to {end}"),
    "organisations.from": ("{start} 起", "since {start}"),
    "organisations.founded": ("成立日期：{day}", "Founded on {day}"),
    "organisations.belongs": ("您是这个支部的成员。", "You belong to this branch."),
    "organisations.committee_login": (
        "登录后可以查看支部委员会。",
        "Log in to see the committee.",
    ),
    "organisations.not_then": (
        "那一天还没有这个组织。下面是今天的情况。",
        "This organisation did not exist on that day. Below is how it is today.",
    ),
    "join.waits": (
        "您已申请加入，正等支部答复。可以在这里查看或撤回：",
        "You have asked to join; the branch will answer. See or withdraw it here:",
    ),
    "join.title": ("申请加入", "Ask to join"),
    "join.text": (
        "支部同意后，您就可以参加这里的活动。您的组织关系和实体支部不变。",
        "Once the branch agrees you can take part here. Your physical branch stays as it is.",
    ),
    "join.reason": ("申请理由", "Why you want to join"),
    "join.reason_hint": ("例如：我也从事这个行业。", "For example: I work in this trade too."),
    "join.send": ("提交申请", "Send the request"),
    "join.sent": ("申请已提交。", "The request was sent."),
    "join.sent_detail": (
        "支部答复后会发消息告诉您，也可以在本页查看。",
        "You will get a notice once the branch has answered; you can also see it here.",
    ),
}
