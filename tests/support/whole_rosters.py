"""Rosters of thousands of people who do not exist, as a department would hand them over."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import xlsxwriter
from support.roster_files import csv
from zhibu_identity.rules.check_digits import resident_check_character

WHOLE_HEADINGS = (
    "所在党支部",
    "姓名",
    "公民身份号码",
    "性别",
    "民族",
    "学历",
    "人员类别",
    "入党时间",
    "转正时间",
    "手机号码",
    "工作单位及职务",
    "家庭住址",
)
BRANCH_AT, NAME_AT, NUMBER_AT, STATUS_AT, TELEPHONE_AT, ADDRESS_AT = 0, 1, 2, 6, 9, 11
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国玉兰红梅志文德海玲云飞鹏宇浩然欣怡子涵"
VILLAGES = ("辛寨", "冶源", "龙山", "柳山", "蒋峪", "沂山", "寺头", "九山", "山旺", "五井")
# People are born on this many days; 7919 has no factor in common with it, so that neighbours are of different ages.
_FIRST_BIRTH = date(1945, 1, 1)
_BIRTH_DAYS = 20_000
_STRIDE = 7919


def whole_roster(count: int, branch_names: Sequence[str], *, seed: int = 7) -> Iterator[list[str]]:
    """Yield the rows of a roster without its headings; the same for the same count and seed."""
    chance = random.Random(seed)
    for at in range(count):
        birth = _FIRST_BIRTH + timedelta(days=at * _STRIDE % _BIRTH_DAYS)
        order = at // _BIRTH_DAYS * 10 + chance.randrange(10)
        first_17 = f"990724{birth:%Y%m%d}{order:03d}"
        given = "".join(chance.choice(GIVEN) for _ in range(chance.choice((1, 2, 2))))
        admitted = birth.year + 20 + chance.randrange(5)
        village = chance.choice(VILLAGES)
        yield [
            branch_names[at * len(branch_names) // count],
            SURNAMES[min(int(chance.expovariate(0.12)), len(SURNAMES) - 1)] + given,
            first_17 + resident_check_character(first_17),
            "男" if order % 2 else "女",
            "汉族",
            chance.choice(("初中", "高中", "大专", "本科")),
            "正式党员",
            f"{admitted}.{chance.randrange(2, 10):02d}",
            f"{admitted + 1}.{chance.randrange(10, 13)}",
            f"1200{at:07d}",
            f"{village}镇{chance.choice(('农业', '供销', '卫生', '学校'))}站 职员",
            f"山东省潍坊市临朐县{village}镇{chance.randrange(1, 300)}号",
        ]


def whole_xlsx(rows: Iterator[list[str]] | Sequence[list[str]]) -> bytes:
    """Return a spreadsheet under WHOLE_HEADINGS, written row by row."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"constant_memory": True, "in_memory": True})
    sheet = book.add_worksheet("党员花名册")
    for at, row in enumerate((WHOLE_HEADINGS, *rows)):
        for column, text in enumerate(row):
            sheet.write_string(at, column, text)
    book.close()
    return out.getvalue()


def whole_csv(rows: Iterator[list[str]] | Sequence[list[str]]) -> bytes:
    """Return the same as text in GB18030, as Chinese Excel saves it."""
    return csv([WHOLE_HEADINGS, *rows], encoding="gb18030")
