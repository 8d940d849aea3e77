"""What officers are told of work that waits. Data."""

from typing import Final

from zhibu_notify.texts.template import Kind, template

WORK: Final = (
    template(
        "applications_wait",
        Kind.WORK,
        ("有待审批的申请", "Applications wait"),
        ("{organisation_id}有电子身份证申请等待审批。", "Applications for an e-ID wait in {organisation_id}."),
        sms="{organisation_id}有电子身份证申请等待审批。",
        link="/desk/{organisation_id}/applications",
    ),
    template(
        "foundings_wait",
        Kind.WORK,
        ("有待审批的虚拟支部", "Foundings wait"),
        ("{organisation_id}有虚拟支部成立申请等待审批。", "Foundings of virtual branches wait in {organisation_id}."),
        sms="{organisation_id}有虚拟支部成立申请等待审批。",
        link="/desk/{organisation_id}/foundings",
    ),
    template(
        "requests_wait",
        Kind.WORK,
        ("有待办理的加入申请", "Requests to join wait"),
        ("有党员申请加入{branch_id}，请办理。", "Members ask to join {branch_id}."),
        sms="有党员申请加入{branch_id}，请登录办理。",
        link="/desk/{branch_id}/requests",
    ),
    template(
        "corrections_wait",
        Kind.WORK,
        ("有待办理的更正申请", "Corrections wait"),
        ("有党员申请更正个人信息，请办理。", "Members ask for corrections of their records."),
        sms="有党员申请更正个人信息，请登录办理。",
        link="/desk/{desk_id}/corrections",
    ),
    template(
        "recoveries_wait",
        Kind.WORK,
        ("有待确认的找回申请", "Recoveries wait"),
        (
            "有电子身份证找回或换发等待第二位工作人员确认，一天内有效。",
            "A recovery of an e-ID waits for the second officer; it lapses after a day.",
        ),
        sms="有电子身份证找回或换发等待您确认，一天内有效。",
        link="/desk/{organisation_id}/recoveries",
    ),
    template(
        "erasures_wait",
        Kind.WORK,
        ("有待确认的销毁申请", "Erasures wait"),
        (
            "有个人信息销毁等待第二位干部确认，一天内有效。",
            "An erasure of personal data waits for the second officer; it lapses after a day.",
        ),
        sms="有个人信息销毁等待您确认，一天内有效。",
        link="/desk/{organisation_id}/erasures",
    ),
    template(
        "erasure_refused",
        Kind.WORK,
        ("销毁申请被拒绝", "An erasure was refused"),
        (
            "您申请的个人信息销毁被另一位干部拒绝，信息没有销毁。",
            "Another officer refused an erasure of personal data that you asked for; nothing was destroyed.",
        ),
        link="/desk/{organisation_id}/erasures",
    ),
    template(
        "erasure_expired",
        Kind.WORK,
        ("销毁申请已过期", "An erasure lapsed"),
        (
            "您申请的个人信息销毁一天内没有第二位干部确认，已过期，信息没有销毁。仍需销毁的，请重新申请。",
            (
                "Nobody confirmed an erasure of personal data that you asked for within a day; nothing was destroyed. "
                "Ask again if it is still wanted."
            ),
        ),
        link="/desk/{organisation_id}/erasures",
    ),
    template(
        "certificate_refused",
        Kind.WORK,
        ("密钥盘证书被本人拒绝", "A key stick's certificate was refused"),
        (
            "您在{organisation_id}申请的一张密钥盘证书被持有人本人拒绝，没有签发。请与本人核实。",
            (
                "A certificate that you asked for at {organisation_id} was refused by the officer; nothing was signed. "
                "Ask the officer why."
            ),
        ),
        link="/desk/{organisation_id}/certificates",
    ),
    template(
        "roster_applied",
        Kind.WORK,
        ("名册已导入：{organisation_id}", "A roster was applied: {organisation_id}"),
        (
            "{organisation_id}的名册已全部处理：变更{applied_count}人，未变{unchanged_count}人，冲突{conflict_count}人。",
            (
                "The roster of {organisation_id} was worked through: {applied_count} changed, {unchanged_count} unchanged, "
                "{conflict_count} in conflict."
            ),
        ),
        link="/desk/{organisation_id}/rosters",
    ),
)
