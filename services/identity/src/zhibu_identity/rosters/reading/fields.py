"""What a column of a roster can mean, and by which headings departments name it: data, to be added to."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Final

from zhibu_identity.rosters.reading.cells import Cell, folded


class Field(IntEnum):
    """What a column means; the numbers are the contract's."""

    IGNORED = 1
    REAL_NAME = 2
    RESIDENT_NUMBER = 3
    GENDER = 4
    BIRTH_DATE = 5
    ETHNICITY = 6
    EDUCATION = 7
    TELEPHONE = 8
    STATUS = 9
    APPLIED_DATE = 10
    ADMITTED_DATE = 11
    CONFIRMED_DATE = 12
    OCCUPATION = 13
    WORK_UNIT = 14
    ADDRESS = 15
    BRANCH = 16
    COMMITTEE = 17


# Without these two, nobody in the file can be told from anybody else.
NEEDED: Final = (Field.REAL_NAME, Field.RESIDENT_NUMBER)

# The first name of each is the one that an export writes.
HEADINGS: Final[dict[Field, tuple[str, ...]]] = {
    Field.REAL_NAME: ("姓名", "党员姓名", "人员姓名", "名字", "真实姓名"),
    Field.RESIDENT_NUMBER: (
        "公民身份号码",
        "身份证号",
        "身份证号码",
        "身份证",
        "公民身份证号",
        "公民身份证号码",
        "居民身份证号",
        "居民身份证号码",
        "证件号码",
        "证件号",
    ),
    Field.GENDER: ("性别",),
    Field.BIRTH_DATE: ("出生日期", "出生年月", "出生年月日", "出生时间", "生日", "出生"),
    Field.ETHNICITY: ("民族", "族别"),
    Field.EDUCATION: ("学历", "文化程度", "最高学历", "学历情况", "全日制学历", "学历学位"),
    Field.TELEPHONE: (
        "手机号码",
        "手机号",
        "手机",
        "联系电话",
        "联系方式",
        "电话",
        "电话号码",
        "移动电话",
        "本人电话",
        "联系手机",
    ),
    Field.STATUS: (
        "人员类别",
        "党员类别",
        "类别",
        "党员类型",
        "人员类型",
        "党员状态",
        "政治面貌",
        "党籍状态",
        "党员身份",
    ),
    Field.APPLIED_DATE: (
        "申请入党日期",
        "申请入党时间",
        "递交入党申请书时间",
        "递交入党申请书日期",
        "递交申请书时间",
        "提交入党申请书时间",
        "申请日期",
        "申请时间",
        "申请入党年月",
    ),
    Field.ADMITTED_DATE: (
        "入党日期",
        "入党时间",
        "加入党组织日期",
        "加入党组织时间",
        "加入中共组织日期",
        "加入中国共产党时间",
        "加入中共组织时间",
        "接收预备党员日期",
        "接收预备党员时间",
        "吸收预备党员日期",
        "入党年月",
        "入党",
        "成为预备党员日期",
        "成为预备党员时间",
    ),
    Field.CONFIRMED_DATE: ("转正日期", "转正时间", "转为正式党员日期", "转为正式党员时间", "转正年月", "转正"),
    Field.OCCUPATION: (
        "职业",
        "工作岗位",
        "岗位",
        "职业类别",
        "从事职业",
        "新社会阶层",
        "一线情况",
        "人员身份",
        "身份",
    ),
    Field.WORK_UNIT: (
        "工作单位及职务",
        "工作单位",
        "单位及职务",
        "单位职务",
        "工作单位职务",
        "所在单位",
        "现工作单位及职务",
        "单位",
    ),
    Field.ADDRESS: (
        "家庭住址",
        "住址",
        "现住址",
        "地址",
        "家庭地址",
        "通讯地址",
        "现居住地",
        "居住地",
        "居住地址",
        "联系地址",
    ),
    Field.BRANCH: (
        "所在党支部",
        "党支部",
        "所属党支部",
        "支部",
        "支部名称",
        "党支部名称",
        "所在支部",
        "所属支部",
        "组织关系所在党支部",
    ),
    Field.COMMITTEE: (
        "所属党委",
        "党委",
        "上级党组织",
        "上级党委",
        "党(工)委",
        "所在党委",
        "所属党组织",
        "乡镇",
        "镇街",
        "镇(街道)",
    ),
}

# Everything in brackets explains a heading and does not change it; the few that have brackets in their name come first.
_BRACKETS: Final = re.compile(r"[(\[【〔].*?[)\]】〕]")
_ORNAMENTS: Final = re.compile(r"[*＊:：、,，.。/／\\|_\-—]")
_BY_NAME: Final = {folded(name): field for field, names in HEADINGS.items() for name in names}


def find_field(heading: Cell) -> Field | None:
    """Return what a heading names, None when it names nothing that is known."""
    text = folded(heading)
    for candidate in (text, _ORNAMENTS.sub("", text), _ORNAMENTS.sub("", _BRACKETS.sub("", text))):
        if candidate in _BY_NAME:
            return _BY_NAME[candidate]
    return None


class Status(IntEnum):
    """Where a person stands; the numbers are those of zhibu.branches.v1.PartyStatus."""

    APPLICANT = 1
    ACTIVIST = 2
    DEVELOPMENT_TARGET = 3
    PROBATIONARY = 4
    FULL = 5
    UNDER_PROBATION = 6


class Occupation(IntEnum):
    """What a person lives from; the numbers are those of zhibu.branches.v1.OccupationCategory."""

    EMPLOYEE = 1
    SELF_EMPLOYED = 2
    RETIRED = 3
    FARMER = 4
    STUDENT = 5
    UNEMPLOYED = 6
    ON_RELIEF = 7
    OTHER = 8


class Education(IntEnum):
    """Highest level of schooling; the numbers are the contract's."""

    PRIMARY = 1
    JUNIOR_MIDDLE = 2
    SENIOR_MIDDLE = 3
    COLLEGE = 4
    BACHELOR = 5
    POSTGRADUATE = 6


# The first word of each is the one that an export writes.
STATUS_WORDS: Final[dict[Status, tuple[str, ...]]] = {
    Status.APPLICANT: ("入党申请人", "申请人", "申请入党人", "入党申请", "申请"),
    Status.ACTIVIST: ("入党积极分子", "积极分子", "入党积极份子", "积极份子"),
    Status.DEVELOPMENT_TARGET: ("发展对象", "发展"),
    Status.PROBATIONARY: ("预备党员", "预备", "中共预备党员"),
    Status.FULL: ("正式党员", "正式", "党员", "中共党员", "中国共产党党员"),
    Status.UNDER_PROBATION: ("留党察看", "留党查看", "留党察看期"),
}
OCCUPATION_WORDS: Final[dict[Occupation, tuple[str, ...]]] = {
    Occupation.EMPLOYEE: (
        "在职职工",
        "在职",
        "职工",
        "干部",
        "公务员",
        "教师",
        "医生",
        "护士",
        "工人",
        "企业职工",
        "事业单位人员",
        "国企职工",
        "机关干部",
        "公务员(含参公)",
        "管理人员",
        "专业技术人员",
        "工勤技能人员",
        "企业管理人员",
        "军人",
        "民警",
        "农民工",
        "在岗职工",
        "事业编",
        "聘用人员",
        "村干部",
        "社区工作者",
    ),
    Occupation.SELF_EMPLOYED: (
        "个体、私营业主",
        "个体",
        "个体户",
        "个体工商户",
        "私营业主",
        "私营企业主",
        "自主创业",
        "经商",
        "个体经营",
    ),
    Occupation.RETIRED: (
        "离退休人员",
        "离退休",
        "退休",
        "离休",
        "退休人员",
        "离休人员",
        "离退休干部",
        "内退",
        "退休干部",
        "退休职工",
    ),
    Occupation.FARMER: ("农民", "务农", "农牧渔民", "村民", "农林牧渔", "农业", "种植", "养殖", "种植户", "养殖户"),
    Occupation.STUDENT: ("学生", "在校生", "大学生", "在校学生", "研究生"),
    Occupation.UNEMPLOYED: (
        "下岗失业人员",
        "下岗",
        "失业",
        "无业",
        "待业",
        "下岗职工",
        "下岗失业",
        "失业人员",
        "无业人员",
    ),
    Occupation.ON_RELIEF: (
        "领取救济、低保",
        "低保",
        "低保户",
        "救济",
        "五保",
        "五保户",
        "特困",
        "特困供养",
        "享受低保",
    ),
    Occupation.OTHER: ("其他", "其它", "其他职业", "自由职业", "自由职业者", "灵活就业"),
}
EDUCATION_WORDS: Final[dict[Education, tuple[str, ...]]] = {
    Education.PRIMARY: ("小学及以下", "小学", "文盲", "半文盲", "初小", "高小", "扫盲", "小学以下", "文盲或半文盲"),
    Education.JUNIOR_MIDDLE: ("初中", "初级中学", "初级中学教育"),
    Education.SENIOR_MIDDLE: (
        "高中、中专",
        "高中",
        "中专",
        "中技",
        "职高",
        "技校",
        "中职",
        "职业高中",
        "技工学校",
        "普通高中",
        "高中中专",
        "高中/中专",
        "中等专科",
    ),
    Education.COLLEGE: ("大专", "专科", "大学专科", "专科教育", "高职", "大专学历", "高等职业教育"),
    Education.BACHELOR: ("大学本科", "本科", "大学", "学士", "本科学历", "大学学历", "本科教育"),
    Education.POSTGRADUATE: (
        "研究生",
        "硕士",
        "博士",
        "硕士研究生",
        "博士研究生",
        "在职研究生",
        "研究生学历",
        "研究生教育",
    ),
}
GENDER_WORDS: Final = {"男": 1, "男性": 1, "M": 1, "女": 2, "女性": 2, "F": 2}

# GB/T 3304: the 56 ethnicities without 族, and what rosters write when there is none.
ETHNICITIES: Final = frozenset(
    [
        "汉",
        "蒙古",
        "回",
        "藏",
        "维吾尔",
        "苗",
        "彝",
        "壮",
        "布依",
        "朝鲜",
        "满",
        "侗",
        "瑶",
        "白",
        "土家",
        "哈尼",
        "哈萨克",
        "傣",
        "黎",
        "傈僳",
        "佤",
        "畲",
        "高山",
        "拉祜",
        "水",
        "东乡",
        "纳西",
        "景颇",
        "柯尔克孜",
        "土",
        "达斡尔",
        "仫佬",
        "羌",
        "布朗",
        "撒拉",
        "毛南",
        "仡佬",
        "锡伯",
        "阿昌",
        "普米",
        "塔吉克",
        "怒",
        "乌孜别克",
        "俄罗斯",
        "鄂温克",
        "德昂",
        "保安",
        "裕固",
        "京",
        "塔塔尔",
        "独龙",
        "鄂伦春",
        "赫哲",
        "门巴",
        "珞巴",
        "基诺",
    ]
)
OTHER_ETHNICITIES: Final = frozenset({"其他", "穿青人", "外国血统中国籍人士", "未识别民族"})


def _by_word(words: dict) -> dict[str, int]:  # pyright: ignore[reportMissingTypeArgument, reportUnknownParameterType]
    return {folded(word): int(value) for value, names in words.items() for word in names}


STATUS_BY_WORD: Final = _by_word(STATUS_WORDS)
OCCUPATION_BY_WORD: Final = _by_word(OCCUPATION_WORDS)
EDUCATION_BY_WORD: Final = _by_word(EDUCATION_WORDS)
