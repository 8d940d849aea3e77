"""What can be wrong with a row, or not taken over of it, in plain words with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import Enum
from typing import Final

from zhibu_identity.rosters.reading.fields import Field


class Reason(Enum):
    """One thing wrong with a row: what to tell in Chinese and in English."""

    REAL_NAME_MISSING = ("没有姓名，请补填。", "The name is missing; fill it in.")
    REAL_NAME_CHARACTER = (
        "姓名“{value}”中有不是汉字的字符，请按身份证填写。",
        "The name holds something that is not a Han character; write it as on the identity card.",
    )
    REAL_NAME_PRIVATE_CHARACTER = (
        "姓名中有自造字，别的系统无法显示，请用输入法重新输入这个字。",
        "The name holds a character of a private set; type it with an input method.",
    )
    REAL_NAME_LENGTH = ("姓名应为 2 至 60 个字，现为“{value}”。", "A name has 2 to 60 characters.")
    REAL_NAME_DOT = ("“·”只能写在姓名的两部分之间。", "The · stands only between two parts of a name.")
    RESIDENT_NUMBER_MISSING = ("没有公民身份号码，请补填。", "The resident number is missing; fill it in.")
    RESIDENT_NUMBER_15_DIGITS = (
        "这是 15 位旧号码，请改为 18 位；按规则推算应为 {remedy}，请与身份证核对。",
        "This is an old number of 15 digits; by the rule it is now {remedy}: compare it with the card.",
    )
    RESIDENT_NUMBER_DIGITS_LOST = (
        "号码被表格软件当作数字，后几位已经丢失。请先把这一列设为“文本”，再按身份证重新填写。",
        "The spreadsheet took the number for a quantity and lost its last digits. Format the column as text; type it again.",
    )
    RESIDENT_NUMBER_SHAPE = (
        "公民身份号码应为 18 位，最后一位可以是 X；现为 {length} 位。",
        "A resident number has 18 characters, of which the last may be X; this one has {length}.",
    )
    RESIDENT_NUMBER_CHECK_CHARACTER = (
        "公民身份号码有误（校验不符），请与身份证逐位核对。",
        "There is a slip in the resident number; compare it digit by digit.",
    )
    RESIDENT_NUMBER_BIRTH_DATE = (
        "公民身份号码中的出生日期不存在，请核对。",
        "The date of birth in the resident number does not exist.",
    )
    RESIDENT_NUMBER_AREA = ("公民身份号码的前两位不是省级代码，请核对。", "The number begins with no province's code.")
    SYNTHETIC_RESIDENT_NUMBER = ("这是演示用的号码，不能导入。", "This is a number for demonstrations only.")
    UNDER_AGE = ("按公民身份号码不满十八周岁，请核对。", "By the number the person is under eighteen.")
    DUPLICATE_IN_FILE = (
        "与第 {row} 行的公民身份号码相同，请删去其中一行。",
        "Row {row} has the same resident number; delete one of them.",
    )
    NUMBER_ELSEWHERE = (
        "这个号码的人已在别的县（市、区），请先办理组织关系转接，或核对号码。",
        "Somebody with this number belongs to another county; transfer the relation first, or check the number.",
    )
    OUTSIDE_ORGANISATION = (
        "这个人在本县的另一个组织（{value}），不能由本表调入；请由县里导入，或先办理调动。",
        "The person belongs to another organisation of the county ({value}); the county can import this row.",
    )
    RECORD_ENDED = (
        "这个人的记录已经结束（去世、出党或转出），请删去这一行，或先恢复记录。",
        "The person's record has ended; delete the row, or open the record again first.",
    )
    GENDER_UNKNOWN = ("性别应为“男”或“女”，现为“{value}”。", "The gender is 男 or 女.")
    GENDER_DIFFERS = (
        "性别与公民身份号码不符（号码为“{remedy}”），请核对。",
        "The gender contradicts the number, which says {remedy}.",
    )
    BIRTH_DATE_DIFFERS = (
        "出生日期与公民身份号码不符（号码为 {remedy}），请核对。",
        "The date of birth contradicts the number, which says {remedy}.",
    )
    DATE_UNREADABLE = (
        "看不懂这个日期“{value}”，请写成 1979-03-05 或 1979.03 的样子。",
        "The date cannot be read; write it like 1979-03-05 or 1979.03.",
    )
    DATE_YEAR_ONLY = (
        "只有年份，请至少写到月，例如 {value}.03。",
        "Only a year; write the month too.",
    )
    DATE_AMBIGUOUS = (
        "“{value}”分不清是 1 月还是 10 月（表格软件去掉了末尾的 0），请写成 {remedy}-01 或 {remedy}-10。",
        "{value} may be January or October, because the spreadsheet drops a last 0; write {remedy}-01 or {remedy}-10.",
    )
    DATE_IN_FUTURE = ("日期 {value} 在今天之后，请核对。", "The date {value} is in the future.")
    DATES_REVERSED = (
        "日期先后不对：{value}，请核对。",
        "The dates stand in the wrong order: {value}.",
    )
    ETHNICITY_UNKNOWN = ("没有“{value}”这个民族，请核对。", "There is no such ethnicity.")
    EDUCATION_UNKNOWN = (
        "看不懂学历“{value}”，请写：小学、初中、高中、中专、大专、本科、研究生。",
        "The schooling is unknown; write 小学, 初中, 高中, 中专, 大专, 本科 or 研究生.",
    )
    TELEPHONE_UNREADABLE = (
        "“{value}”不是 11 位手机号码，请改正，或清空这一格。",
        "This is no mobile number of 11 digits; mend it, or empty the cell.",
    )
    TELEPHONE_LANDLINE = (
        "“{value}”是固定电话，这里只登记手机；请改填手机号码，或清空这一格。",
        "This is a landline; enter a mobile number, or empty the cell.",
    )
    # A notice: the rest of the row is taken over.
    TELEPHONE_OF_EID = (
        "已有电子身份证，表中的手机号（尾号 {value}）不采用，其余内容照常导入。本人确已换号的，请在人员页面办理“更换手机号”。",
        "The telephone of an e-ID stays: the one ending in {value} is not taken over. Use “Change the telephone” if it is new.",
    )
    STATUS_UNKNOWN = (
        "看不懂人员类别“{value}”，请写：正式党员、预备党员、发展对象、入党积极分子、入党申请人。",
        "The status is unknown; write 正式党员, 预备党员, 发展对象, 入党积极分子 or 入党申请人.",
    )
    STATUS_MISSING = ("新增人员须写明人员类别，例如“正式党员”。", "Somebody new needs a status, for example 正式党员.")
    OCCUPATION_UNKNOWN = (
        "看不懂职业“{value}”，请写：在职职工、个体、离退休、农民、学生、失业、低保、其他。",
        "The occupation is unknown; write 在职职工, 个体, 离退休, 农民, 学生, 失业, 低保 or 其他.",
    )
    BRANCH_MISSING = ("没有写所在党支部，请补填。", "The branch is missing; fill it in.")
    BRANCH_UNKNOWN = (
        "没有名为“{value}”的党支部，请核对名称，或先建立这个支部。",
        "There is no branch of this name; check it, or create the branch first.",
    )
    BRANCH_VIRTUAL = (
        "“{value}”是虚拟支部，组织关系不能落在虚拟支部，请改填本人所在的党支部。",
        "This is a virtual branch, which holds nobody; write the branch that holds the person.",
    )
    BRANCH_AMBIGUOUS = (
        "有几个支部叫“{value}”，请在“所属党委”一列写明是哪一个。",
        "Several branches have this name; say in the column of the committee which one is meant.",
    )
    TEXT_TOO_LONG = (
        "内容过长（{length} 个字），请缩短到 200 字以内。",
        "The text is too long; 200 characters at most.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with a row, or not taken over of it. `column` is the position in the file, None when the file has no such column."""

    reason: Reason
    field: Field
    column: int | None
    params: Mapping[str, str] = dataclass_field(default_factory=dict[str, str])

    def text(self, language: str) -> str:
        """Return what is wrong and what to do."""
        template = self.reason.value[1 if language == ENGLISH else 0]
        return template.format_map(_Params(self.params))


class _Params(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


ENGLISH: Final = "en"
