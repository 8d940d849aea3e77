"""Texts of a member's branches, of the online rate and of the survey."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "branch.title": ("我的支部", "My branch"),
    "branch.physical_means": (
        "这是您的组织关系所在的支部，每名党员只有一个。",
        "Your organisational relation is here; every member has exactly one such branch.",
    ),
    "branch.virtual_means": (
        "这是您在网上参加的支部，组织关系不变。",
        "You take part here online; your organisational relation does not change.",
    ),
    "branch.since": ("自 {day} 起。", "Since {day}."),
    "branch.rights": ("您在这里可以", "Here you can"),
    "branch.no_rights": (
        "您目前的身份在这里没有需要表决的事项，可以参加活动。",
        "There is nothing to vote on here in your present status; you are welcome to take part.",
    ),
    "branch.committee": ("支部委员会", "Committee"),
    "branch.no_committee": ("还没有登记支部委员会。", "No committee is recorded yet."),
    "branch.term": ("任期 {start} 至 {end}", "Term from {start} to {end}"),
    "branch.vacant": ("空缺", "vacant"),
    "branch.name_hidden": ("姓名不公开", "name not shown"),
    "branch.fellows": ("支部党员", "Members of the branch"),
    "branch.no_fellows": ("还没有党员。", "There are no members yet."),
    "branch.all_fellows": ("查看全部党员", "See all members"),
    "branch.me": ("（您本人）", "(you)"),
    "branch.page": ("支部主页", "Page of the branch"),
    "branch.none_title": ("您还没有编入党支部", "You are not in a branch yet"),
    "branch.none": (
        "组织部门会把您编入一个实体支部，完成后会发消息通知您。超过 7 天没有消息，请打咨询电话。",
        (
            "The organisation department will place you in a physical branch and send you a notice. "
            "If nothing comes within 7 days, call the help line."
        ),
    ),
    "branch.others": ("还参加了这些虚拟支部", "You also belong to these virtual branches"),
    "branch.requests": ("加入虚拟支部的申请", "Requests to join a virtual branch"),
    "branch.request_branch": ("支部", "Branch"),
    "branch.request_state": ("状态", "State"),
    "branch.request_day": ("申请日期", "Asked on"),
    "branch.request_act": ("操作", "Action"),
    "branch.request_withdraw": ("撤回申请", "Withdraw"),
    "branch.request_withdrawn": ("申请已撤回。", "The request was withdrawn."),
    "branch.more": ("还可以", "You can also"),
    "branch.leave": ("退出这个虚拟支部", "Leave this virtual branch"),
    "branch.leave_title": ("退出虚拟支部", "Leave the virtual branch"),
    "branch.leave_text": (
        "退出后，您不再参加这个支部的活动和表决，在这里的职务同时结束。您的实体支部不变，以后可以再申请加入。",
        (
            "You will no longer take part or vote here, and your posts here end. "
            "Your physical branch stays as it is, and you can ask to join again."
        ),
    ),
    "branch.leave_yes": ("确定退出", "Leave"),
    "branch.leave_no": ("不退出", "Stay"),
    "branch.left": ("您已退出该虚拟支部。", "You have left the virtual branch."),
    "rate.title": ("上网率", "Online rate"),
    "rate.now": ("{rate}", "{rate}"),
    "rate.counts": (
        "党员 {members} 人，已填写 {answered} 人，有设备并能上网 {equipped} 人。",
        "{members} members, {answered} answered, {equipped} have a device and a network.",
    ),
    "rate.goal": ("达到 {rate} 就可以上线。", "The branch can go online from {rate}."),
    "rate.warned": (
        "低于上线标准 {rate}，请没有填写的党员尽快填写。",
        "This is below the {rate} wanted; members who have not answered should do so soon.",
    ),
    "rate.since": ("{day} 起上线。", "Online since {day}."),
    "rate.chart": (
        "上网率变化图：从 {first} 到 {last}，现在是 {rate}。数据见下面的表格。",
        "Chart of the online rate from {first} to {last}; now {rate}. The data are in the table below.",
    ),
    "rate.caption": (
        "实线：上网率。虚线：上线标准 {rate}。",
        "Solid line: online rate. Dashed line: {rate}, from which a branch goes online.",
    ),
    "rate.table": ("用表格看上网率", "The online rate as a table"),
    "rate.day": ("日期", "Day"),
    "rate.rate": ("上网率", "Rate"),
    "rate.equipped": ("能上网的党员", "Members online"),
    "rate.of": ("{equipped} / {members} 人", "{equipped} of {members}"),
    "rate.none": ("还没有统计。", "There is no survey yet."),
    "survey.title": ("上网条件调查", "Survey of computers and networks"),
    "survey.why": (
        "支部里一半以上的党员能上网，支部就可以上线。请如实填写，以后有变化可以再改。",
        "A branch goes online when half of its members can. Please answer truthfully; you can change it at any time.",
    ),
    "survey.device": ("您有电脑或智能手机吗？", "Do you have a computer or a smartphone?"),
    "survey.device_hint": ("家里的、平时能用到的都算。", "One at home that you can use counts too."),
    "survey.network": ("它能上网吗？", "Is it connected to the network?"),
    "survey.network_hint": ("宽带、无线网或手机流量都算。", "Broadband, wireless or mobile data all count."),
    "survey.has": ("有", "Yes"),
    "survey.has_not": ("没有", "No"),
    "survey.can": ("能", "Yes"),
    "survey.cannot": ("不能", "No"),
    "survey.save": ("保存", "Save"),
    "survey.saved": ("已保存，谢谢您。", "Saved, thank you."),
    "survey.device_missing": ("请选择有没有电脑或智能手机", "Say whether you have a computer or a smartphone"),
    "survey.network_missing": ("请选择能不能上网", "Say whether it is connected"),
    "survey.device_yes": ("有电脑或智能手机", "a computer or smartphone"),
    "survey.device_no": ("没有电脑或智能手机", "no computer or smartphone"),
    "survey.network_yes": ("能上网", "connected"),
    "survey.network_no": ("不能上网", "not connected"),
    "survey.known": ("现在登记的是：{device}，{network}（{state}）。", "Recorded now: {device}, {network} ({state})."),
    "survey.reported_title": ("请您确认", "Please confirm"),
    "survey.reported": (
        "支部替您填写了上网条件：{device}，{network}。对吗？",
        "Your branch answered the survey for you: {device}, {network}. Is that right?",
    ),
    "survey.agree": ("对，确认", "Yes, that is right"),
    "survey.dispute": ("不对", "No, it is not"),
    "survey.agreed": ("已确认，谢谢您。", "Confirmed, thank you."),
    "survey.disputed": (
        "已记下您的异议，这一条不计入。您可以自己填写。",
        "Your objection is recorded and the answer does not count. You can answer yourself.",
    ),
    "survey.asked_title": ("请填写上网条件", "Please answer the survey"),
    "survey.asked": (
        "只有两个问题，半分钟就好。",
        "Two questions, half a minute.",
    ),
    "survey.go": ("去填写", "Answer"),
    "survey.change": ("填写或修改我的上网条件", "Answer or change my survey"),
}
