"""Texts of grants of office and of the county's switches."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "grants.title": ("职务授权", "Offices"),
    "grants.intro": (
        "职务在本组织及其下级组织有效，到期自动失效。",
        "An office holds at this organisation and below it, and ends by itself on its last day.",
    ),
    "grants.table": ("现有授权", "Grants"),
    "grants.empty": ("没有授权记录。", "There are no grants."),
    "grants.holder": ("姓名", "Holder"),
    "grants.office": ("职务", "Office"),
    "grants.period": ("任期", "Term"),
    "grants.period_value": ("{start} 至 {end}", "{start} to {end}"),
    "grants.period_of_post": ("{start} 起，与职务同时有效", "from {start}, as long as the post"),
    "grants.state": ("状态", "State"),
    "grants.state.holding": ("有效", "In force"),
    "grants.state.ended": ("已终止", "Ended"),
    "grants.with_ended": ("也显示已终止的", "Show ended ones too"),
    "grants.without_ended": ("只显示有效的", "Show only those in force"),
    "grants.new": ("授予职务", "Grant an office"),
    "grants.eid_number": ("电子身份证号", "e-ID number"),
    "grants.eid_number_hint": ("任职党员的电子身份证号", "Of the member who shall hold it"),
    "grants.eid_number_bad": ("请输入电子身份证号", "Enter the e-ID number"),
    "grants.office_hint": ("您只能授予自己具有的权限", "You can grant only what you hold yourself"),
    "grants.office_missing": ("请选择职务", "Choose an office"),
    "grants.start": ("开始日期", "First day"),
    "grants.start_hint": ("不填就从今天开始", "Today if left empty"),
    "grants.end": ("结束日期", "Last day"),
    "grants.end_hint": ("最长六年", "At most six years later"),
    "grants.end_missing": ("请填写结束日期", "Enter the last day"),
    "grants.end_before_start": ("结束日期不能早于开始日期", "The last day must not lie before the first"),
    "grants.make": ("授予", "Grant"),
    "grants.made": ("已授予。", "Granted."),
    "grants.end_one": ("终止", "End"),
    "grants.end_title": ("终止{name}的职务", "End the office of {name}"),
    "grants.end_text": ("终止后立即失去该职务的权限。", "The holder loses its permissions at once."),
    "grants.end_yes": ("终止职务", "End the office"),
    "grants.ended": ("职务已终止。", "The office has ended."),
    "grants.none_to_grant": (
        "您没有可以在这个组织授予的职务。",
        "There is no office that you could grant at this organisation.",
    ),
    "settings.title": ("县级设置", "County settings"),
    "settings.applications_open": ("开放网上申请", "Take applications online"),
    "settings.applications_open_hint": (
        "关闭后不能提交新申请，已提交的照常办理。",
        "When off, nobody can apply; what has been submitted goes on.",
    ),
    "settings.activation_by_telephone": ("允许把激活码发到手机", "Send activation codes by telephone"),
    "settings.activation_by_telephone_hint": (
        "关闭后激活码只能当面领取。",
        "When off, activation codes are handed over in person only.",
    ),
    "settings.help_telephone": ("咨询电话", "Help line"),
    "settings.help_telephone_bad": (
        "咨询电话只能有数字、空格、加号和横线，最多 30 个字符",
        "Only digits, blanks, plus and hyphen, at most 30",
    ),
    "settings.help_hours": ("服务时间", "Opening hours"),
    "settings.help_hours_hint": ("例如：工作日 8:30–17:30", "For example: weekdays 8:30–17:30"),
    "settings.save": ("保存", "Save"),
    "settings.saved": ("设置已保存。", "Saved."),
    "settings.conflict": (
        "设置刚被他人修改，下面是最新内容，请看过后再保存",
        "Somebody else has just changed these; below is how they stand now",
    ),
    "bootstrap.title": ("开通第一位管理员", "The first administrator"),
    "bootstrap.intro": (
        "新装系统或新上线的县（市、区），第一位管理员先像其他人一样申请，再用运维人员给的启用码完成授权。",
        (
            "In a new installation or county the first administrator applies like everybody else, and then uses the code "
            "that the operator made."
        ),
    ),
    "bootstrap.code": ("启用码", "Bootstrap code"),
    "bootstrap.code_bad": ("请照运维人员给的内容输入启用码", "Enter the code as the operator gave it"),
    "bootstrap.redeem": ("开通", "Redeem"),
    "bootstrap.refused": (
        "启用码或受理号、查询码不对，请检查",
        "Bootstrap code, case number or case code are not right",
    ),
    "bootstrap.done_title": ("已开通", "Done"),
    "bootstrap.done_text": (
        "您已获得职务：{office}（{organisation}）。",
        "You now hold the office {office} at {organisation}.",
    ),
}
