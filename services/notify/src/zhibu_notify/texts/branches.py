"""What members and committees are told of their branches. Data."""

from typing import Final

from zhibu_notify.texts.template import Kind, template

_FOUNDING: Final = (
    template(
        "founding_approved",
        Kind.FOUNDING,
        ("虚拟支部获准成立：{branch_id}", "{branch_id} was founded"),
        (
            "您发起或联署的虚拟支部“{branch_id}”已获批准成立，您已是其成员。",
            "The virtual branch “{branch_id}” that you proposed or signed was approved, and you are a member.",
        ),
        sms="您发起或联署的虚拟支部“{branch_id}”已获批准成立。",
        link="/foundings/{founding_id}",
    ),
    template(
        "founding_refused",
        Kind.FOUNDING,
        ("虚拟支部未获批准", "A founding was refused"),
        (
            "您发起或联署的虚拟支部（隶属{organisation_id}）未获批准，理由见申请页面。",
            (
                "The virtual branch under {organisation_id} that you proposed or signed was refused; the reason stands on its "
                "page."
            ),
        ),
        sms="您发起或联署的虚拟支部未获批准，理由请登录查看。",
        link="/foundings/{founding_id}",
    ),
    template(
        "founding_withdrawn",
        Kind.FOUNDING,
        ("虚拟支部申请已撤回", "A founding was withdrawn"),
        (
            "您联署的虚拟支部（隶属{organisation_id}）已由发起人撤回。",
            "The virtual branch under {organisation_id} that you signed was withdrawn by who proposed it.",
        ),
        link="/foundings/{founding_id}",
    ),
    template(
        "founding_expired",
        Kind.FOUNDING,
        ("虚拟支部申请已过期", "A founding has expired"),
        (
            "您发起或联署的虚拟支部（隶属{organisation_id}）已过期，可以重新发起。",
            "The virtual branch under {organisation_id} that you proposed or signed has expired; it can be proposed again.",
        ),
        link="/foundings/{founding_id}",
    ),
)

_COMMITTEE: Final = (
    template(
        "post_given",
        Kind.COMMITTEE,
        ("担任{post}", "You are {post}"),
        ("您担任{branch_id}{post}，任期至{end_date}。", "You are {post} of {branch_id} until {end_date}."),
        sms="您担任{branch_id}{post}。",
        link="/branch",
    ),
    template(
        "post_ended",
        Kind.COMMITTEE,
        ("不再担任{post}", "You are no longer {post}"),
        ("您不再担任{branch_id}{post}。", "You are no longer {post} of {branch_id}."),
        sms="您不再担任{branch_id}{post}。",
        link="/branch",
    ),
    template(
        "office_granted",
        Kind.COMMITTEE,
        ("新的职责：{office}", "A new office: {office}"),
        (
            "您获授{organisation_id}的“{office}”职责，任期至{end_date}，可在工作台办理业务。",
            "You hold the office of {office} at {organisation_id} until {end_date}; your work is on the desk.",
        ),
        sms="您获授{organisation_id}的“{office}”职责，请登录工作台办理业务。",
        link="/desk",
    ),
    template(
        "office_follows_post",
        Kind.COMMITTEE,
        ("新的职责：{office}", "A new office: {office}"),
        (
            "您获授{organisation_id}的“{office}”职责，与所任职务同时有效，可在工作台办理业务。",
            "You hold the office of {office} at {organisation_id} as long as your post lasts; your work is on the desk.",
        ),
        sms="您获授{organisation_id}的“{office}”职责，请登录工作台办理业务。",
        link="/desk",
    ),
    template(
        "office_ended",
        Kind.COMMITTEE,
        ("职责结束：{office}", "An office has ended: {office}"),
        (
            "您在{organisation_id}的“{office}”职责已结束。",
            "You no longer hold the office of {office} at {organisation_id}.",
        ),
        sms="您在{organisation_id}的“{office}”职责已结束。",
        link="/desk",
    ),
    template(
        "term_ending",
        Kind.COMMITTEE,
        ("任期将满：{branch_id}", "A term is ending: {branch_id}"),
        (
            "{branch_id}委员会（书记）任期至{end_date}，不足{months_left}个月，请准备换届。",
            "The term of {branch_id}'s committee ends on {end_date}, within {months_left} months; please prepare the next one.",
        ),
        sms="{branch_id}任期至{end_date}，请准备换届。",
        link="/desk/{branch_id}/committees",
    ),
    template(
        "term_ended",
        Kind.COMMITTEE,
        ("任期已满：{branch_id}", "A term has ended: {branch_id}"),
        (
            "{branch_id}委员会（书记）任期已于{end_date}届满，请尽快换届。",
            "The term of {branch_id}'s committee ended on {end_date}; a new one is due.",
        ),
        sms="{branch_id}任期已于{end_date}届满，请尽快换届。",
        link="/desk/{branch_id}/committees",
    ),
)

_SURVEY: Final = (
    template(
        "survey_countersign",
        Kind.SURVEY,
        ("请确认摸底情况", "Please confirm the survey"),
        (
            "{branch_id}填报了您的电脑和网络情况，请核对确认；确认后才计入统计。",
            "{branch_id} reported about your computer and network; please confirm it or say otherwise. It counts only then.",
        ),
        sms="{branch_id}填报了您的电脑和网络情况，请登录确认。",
        link="/survey",
    ),
    template(
        "branch_online",
        Kind.SURVEY,
        ("支部已上线：{branch_id}", "{branch_id} is online"),
        (
            "{branch_id}的电脑网络拥有率达到{rate}%，已具备上线条件并上线。",
            "{branch_id} is online: {rate}% of its members have a computer and the network.",
        ),
        link="/desk/{branch_id}/survey",
    ),
    template(
        "branch_warned",
        Kind.SURVEY,
        ("上线率预警：{branch_id}", "Warning: {branch_id}"),
        (
            "{branch_id}的电脑网络拥有率降至{rate}%，低于上线标准，请关注。",
            "In {branch_id} only {rate}% of the members have a computer and the network: less than a branch online needs.",
        ),
        sms="{branch_id}的电脑网络拥有率降至{rate}%，低于上线标准。",
        link="/desk/{branch_id}/survey",
    ),
)

BRANCHES: Final = (*_FOUNDING, *_COMMITTEE, *_SURVEY)
