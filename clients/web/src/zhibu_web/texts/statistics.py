"""Texts of the statistics."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "statistics.few": ("不显示", "Hidden"),
    "statistics.few_text": (
        "少于 5 人的不显示。为了不让人推算出来，有的数虽然不小，也一起不显示。",
        "Groups of fewer than 5 people are hidden, and so are others from which they could be worked out.",
    ),
    "statistics.ungrouped": (
        "下面的分组不含人数不足 500 人的县（共 {count} 人），这些县可以单独查看。",
        "The groups below leave out counties of fewer than 500 people ({count} in all); each can be opened by itself.",
    ),
    "statistics.decade": ("{year} 年代", "{year}s"),
    "statistics.as_of": ("统计时间：{time}", "As of {time}."),
    "statistics.unknown": ("未登记", "Not recorded"),
    "statistics.group": ("类别", "Group"),
    "statistics.count": ("人数", "People"),
    "statistics.members": ("党员", "Members"),
    "statistics.people": ("在册人员", "People on record"),
    "statistics.physical": ("实体支部", "Physical branches"),
    "statistics.online": ("已上线支部", "Online branches"),
    "statistics.virtual": ("虚拟支部", "Virtual branches"),
    "statistics.virtual_members": ("参加虚拟支部的人", "In virtual branches"),
    "statistics.below": ("下级组织", "Organisations below"),
    "statistics.han": ("汉族", "Han"),
    "statistics.not_han": ("少数民族", "Other ethnicities"),
    "statistics.by.status": ("按人员类别", "By status"),
    "statistics.by.occupation": ("按职业类别", "By occupation"),
    "statistics.by.admission": ("按入党年代", "By decade of admission"),
    "statistics.by.age": ("按年龄", "By age"),
    "statistics.by.gender": ("按性别", "By gender"),
    "statistics.by.education": ("按学历", "By schooling"),
    "statistics.by.ethnicity": ("按民族", "By ethnicity"),
}
