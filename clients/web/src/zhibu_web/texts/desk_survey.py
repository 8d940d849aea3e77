"""Texts of the survey at the desk."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "survey_desk.tab.all": ("全部支部", "All branches"),
    "survey_desk.tab.offline": ("还没有上线", "Not online"),
    "survey_desk.tab.online": ("已上线", "Online"),
    "survey_desk.tab.warned": ("偏低", "Low"),
    "survey_desk.rate": ("上网率", "Rate"),
    "survey_desk.answered": ("已填写", "Answered"),
    "survey_desk.equipped": ("有条件", "Equipped"),
    "survey_desk.none": ("没有这样的支部。", "There are none."),
    "survey_desk.go_online": ("本支部上线", "Take the branch online"),
    "survey_desk.online": ("本支部已上线。", "The branch is online."),
    "survey_desk.answers": ("党员的上网条件", "Members' devices and networks"),
    "survey_desk.answer": ("回答", "Answer"),
    "survey_desk.report_text": (
        "本人填写的不能改。支部代填的，要本人确认后才计入。",
        "What members stated stays. What the branch reports counts once the member has confirmed it.",
    ),
    "survey_desk.report_one": ("代填", "Report"),
    "survey_desk.report_of": ("代填{name}", "Report for {name}"),
    "survey_desk.report_not": ("不代填", "Nothing"),
    "survey_desk.report.both": ("有设备，能上网", "Device and network"),
    "survey_desk.report.device": ("有设备，不能上网", "Device, no network"),
    "survey_desk.report.none": ("没有设备", "No device"),
    "survey_desk.report_send": ("提交代填", "Send the report"),
    "survey_desk.report_none": ("请先选择要代填的内容", "Choose what is reported"),
    "survey_desk.reported": ("已代填 {count} 人，等本人确认。", "Reported for {count}; the members confirm it."),
    "survey_desk.nobody": ("本支部还没有党员。", "The branch has no members yet."),
}
