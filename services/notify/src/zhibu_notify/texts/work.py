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
