"""What identity refuses, and how it says so."""

from __future__ import annotations

from typing import Final

from grpc import StatusCode
from zhibu_kit.errors import ErrorKind, declare_noun

declare_noun("application", zh="申请", en="application")
declare_noun("case", zh="申请", en="case")
declare_noun("eid", zh="电子身份证", en="e-ID")
declare_noun("grant", zh="任职授权", en="grant")
declare_noun("approval_batch", zh="批量审批", en="approval batch")

# Fields of an application

REAL_NAME_CHARACTER: Final = ErrorKind(
    reason="REAL_NAME_CHARACTER",
    code=StatusCode.INVALID_ARGUMENT,
    zh="姓名请按居民身份证填写汉字，少数民族姓名中间用“·”隔开。",
    en="Write the name in Chinese characters as on the resident identity card, with · between its parts.",
)
REAL_NAME_PRIVATE_CHARACTER: Final = ErrorKind(
    reason="REAL_NAME_PRIVATE_CHARACTER",
    code=StatusCode.INVALID_ARGUMENT,
    zh="姓名中有自造字，别的系统无法显示。请用输入法重新输入这个字，或者请工作人员协助。",
    en="The name holds a character of a private set. Type it with an input method, or ask the staff for help.",
)
REAL_NAME_LENGTH: Final = ErrorKind(
    reason="REAL_NAME_LENGTH",
    code=StatusCode.INVALID_ARGUMENT,
    zh="姓名应为 2 至 60 个字。",
    en="A name has 2 to 60 characters.",
)
REAL_NAME_DOT: Final = ErrorKind(
    reason="REAL_NAME_DOT",
    code=StatusCode.INVALID_ARGUMENT,
    zh="“·”只能写在姓名的两部分之间。",
    en="The · stands only between two parts of a name.",
)
RESIDENT_NUMBER_SHAPE: Final = ErrorKind(
    reason="RESIDENT_NUMBER_SHAPE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="公民身份号码应为 18 位，最后一位可以是 X。",
    en="A resident number has 18 characters; the last may be X.",
)
RESIDENT_NUMBER_CHECK_CHARACTER: Final = ErrorKind(
    reason="RESIDENT_NUMBER_CHECK_CHARACTER",
    code=StatusCode.INVALID_ARGUMENT,
    zh="公民身份号码有误，请逐位核对。",
    en="There is a slip in the resident number; compare it digit by digit.",
)
RESIDENT_NUMBER_BIRTH_DATE: Final = ErrorKind(
    reason="RESIDENT_NUMBER_BIRTH_DATE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="公民身份号码中的出生日期不正确。",
    en="The date of birth in the resident number is not right.",
)
RESIDENT_NUMBER_AREA: Final = ErrorKind(
    reason="RESIDENT_NUMBER_AREA",
    code=StatusCode.INVALID_ARGUMENT,
    zh="公民身份号码开头的地区代码不存在。",
    en="The resident number begins with an area code that does not exist.",
)
SYNTHETIC_RESIDENT_NUMBER: Final = ErrorKind(
    reason="SYNTHETIC_RESIDENT_NUMBER",
    code=StatusCode.INVALID_ARGUMENT,
    zh="这是演示用的号码，正式系统不受理。",
    en="This is a number for demonstrations; it is not accepted here.",
)
SYNTHETIC_TELEPHONE: Final = ErrorKind(
    reason="SYNTHETIC_TELEPHONE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="这是演示用的手机号码，正式系统不受理。",
    en="This is a telephone number for demonstrations; it is not accepted here.",
)
UNDER_AGE: Final = ErrorKind(
    reason="UNDER_AGE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="年满 18 周岁方可申请。",
    en="Applicants must be at least 18 years old.",
)
TELEPHONE_PREFIX: Final = ErrorKind(
    reason="TELEPHONE_PREFIX",
    code=StatusCode.INVALID_ARGUMENT,
    zh="这不是手机号码。",
    en="This is not a mobile telephone number.",
)
ORGANISATION_UNKNOWN: Final = ErrorKind(
    reason="ORGANISATION_UNKNOWN",
    code=StatusCode.INVALID_ARGUMENT,
    zh="没有这个县（市、区）。",
    en="There is no such county.",
)
BRANCH_UNKNOWN: Final = ErrorKind(
    reason="BRANCH_UNKNOWN",
    code=StatusCode.INVALID_ARGUMENT,
    zh="这个县（市、区）没有这个党支部。",
    en="There is no such branch in this county.",
)

# Filing and following

COUNTY_CLOSED: Final = ErrorKind(
    reason="COUNTY_CLOSED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个县（市、区）暂不受理网上申请，请联系当地组织部门。",
    en="This county does not take applications at the moment; please turn to its organisation department.",
)
RESEND_TOO_SOON: Final = ErrorKind(
    reason="RESEND_TOO_SOON",
    code=StatusCode.RESOURCE_EXHAUSTED,
    zh="验证码发送过于频繁，请在 {retry_after_s} 秒后再试。",
    en="Codes were asked for too often; please try again in {retry_after_s} seconds.",
)
TELEPHONE_CODE_WRONG: Final = ErrorKind(
    reason="TELEPHONE_CODE_WRONG",
    code=StatusCode.FAILED_PRECONDITION,
    zh="验证码不正确或者已经失效，请核对后重新输入，或者重新获取。",
    en="The code is wrong or no longer good; enter it again or ask for a new one.",
)
TELEPHONE_PROOF_INVALID: Final = ErrorKind(
    reason="TELEPHONE_PROOF_INVALID",
    code=StatusCode.FAILED_PRECONDITION,
    zh="手机验证已经失效，请重新验证手机号码。",
    en="The telephone's proof is no longer good; please prove the telephone again.",
)
CODE_NOT_SENT: Final = ErrorKind(
    reason="CODE_NOT_SENT",
    code=StatusCode.UNAVAILABLE,
    zh="短信暂时无法发送，请稍后再试。",
    en="The message could not be sent at the moment; please try again shortly.",
)
CASE_KEY_WRONG: Final = ErrorKind(
    reason="CASE_KEY_WRONG",
    code=StatusCode.NOT_FOUND,
    zh="受理号或查询码不正确，请核对。",
    en="Case number or code is wrong; please compare them with what you noted.",
)
CASE_CLOSED_TO_TRIES: Final = ErrorKind(
    reason="CASE_CLOSED_TO_TRIES",
    code=StatusCode.RESOURCE_EXHAUSTED,
    zh="输错次数过多，请在 {retry_after_s} 秒后再试。",
    en="Too many wrong tries; please try again in {retry_after_s} seconds.",
)

# Deciding

APPLICATION_ALREADY_DECIDED: Final = ErrorKind(
    reason="APPLICATION_ALREADY_DECIDED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这份申请已经办结。",
    en="This application has been decided already.",
)
APPLICATION_NOT_APPROVED: Final = ErrorKind(
    reason="APPLICATION_NOT_APPROVED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这份申请没有通过，无法撤销。",
    en="This application is not approved, so there is nothing to take back.",
)
NO_QUESTION_OPEN: Final = ErrorKind(
    reason="NO_QUESTION_OPEN",
    code=StatusCode.FAILED_PRECONDITION,
    zh="目前没有需要补充的内容。",
    en="Nothing has been asked for.",
)
UNDO_TOO_LATE: Final = ErrorKind(
    reason="UNDO_TOO_LATE",
    code=StatusCode.FAILED_PRECONDITION,
    zh="通过已超过 24 小时，不能撤销；如有错误请注销电子身份证。",
    en="It is more than 24 hours since the approval; revoke the e-ID instead.",
)
CLAIMED_BY_ANOTHER: Final = ErrorKind(
    reason="CLAIMED_BY_ANOTHER",
    code=StatusCode.FAILED_PRECONDITION,
    zh="另一位工作人员正在办理这份申请。",
    en="Another clerk is working on this application.",
)
FINDINGS_NOT_CHECKED: Final = ErrorKind(
    reason="FINDINGS_NOT_CHECKED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="核查有提示，请逐条核对后再通过。",
    en="The checks noticed something; look at each finding before you approve.",
)
NUMBER_HAS_EID: Final = ErrorKind(
    reason="NUMBER_HAS_EID",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个公民身份号码已经有电子身份证，或者正在发放。",
    en="There is an e-ID for this resident number already, or one is being issued.",
)
REFUSAL_NOTE_NEEDED: Final = ErrorKind(
    reason="REFUSAL_NOTE_NEEDED",
    code=StatusCode.INVALID_ARGUMENT,
    zh="选择“其他原因”时请写明。",
    en="Say why in words when the reason is another one.",
)
OWN_APPLICATION: Final = ErrorKind(
    reason="OWN_APPLICATION",
    code=StatusCode.FAILED_PRECONDITION,
    zh="不能办理本人的申请。",
    en="Nobody decides their own application.",
)

# e-IDs

EID_REVOKED: Final = ErrorKind(
    reason="EID_REVOKED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个电子身份证已经注销。",
    en="This e-ID is revoked.",
)
EID_ALREADY_ACTIVE: Final = ErrorKind(
    reason="EID_ALREADY_ACTIVE",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个电子身份证已经启用，不再需要激活码。",
    en="This e-ID is in use already and needs no activation code.",
)
ACTIVATION_BY_TELEPHONE_OFF: Final = ErrorKind(
    reason="ACTIVATION_BY_TELEPHONE_OFF",
    code=StatusCode.FAILED_PRECONDITION,
    zh="本县（市、区）不通过短信发送激活码，请当面交给本人。",
    en="This county does not send activation codes by telephone; hand it over in person.",
)
ISSUING_SLOW: Final = ErrorKind(
    reason="ISSUING_SLOW",
    code=StatusCode.UNAVAILABLE,
    zh="正在发放，请稍后再试一次。",
    en="The e-ID is being issued; please try once more in a moment.",
)

# Grants

OFFICE_UNKNOWN: Final = ErrorKind(
    reason="OFFICE_UNKNOWN", code=StatusCode.INVALID_ARGUMENT, zh="没有这个职务。", en="There is no such office."
)
OFFICE_WRONG_LEVEL: Final = ErrorKind(
    reason="OFFICE_WRONG_LEVEL",
    code=StatusCode.INVALID_ARGUMENT,
    zh="这一级组织没有这个职务。",
    en="This office does not exist at organisations of this level.",
)
OFFICE_NOT_HELD: Final = ErrorKind(
    reason="OFFICE_NOT_HELD",
    code=StatusCode.PERMISSION_DENIED,
    zh="不能授予您自己没有的权限。",
    en="You cannot grant what you do not hold.",
)
TERM_ENDED: Final = ErrorKind(
    reason="TERM_ENDED", code=StatusCode.INVALID_ARGUMENT, zh="任期已经结束。", en="The term is over already."
)
TERM_REVERSED: Final = ErrorKind(
    reason="TERM_REVERSED",
    code=StatusCode.INVALID_ARGUMENT,
    zh="结束日期早于开始日期。",
    en="The term ends before it begins.",
)
TERM_TOO_LONG: Final = ErrorKind(
    reason="TERM_TOO_LONG", code=StatusCode.INVALID_ARGUMENT, zh="任期不超过六年。", en="A term is six years at most."
)
DATE_UNREAL: Final = ErrorKind(
    reason="DATE_UNREAL", code=StatusCode.INVALID_ARGUMENT, zh="没有这一天。", en="There is no such day."
)
EID_UNKNOWN: Final = ErrorKind(
    reason="EID_UNKNOWN",
    code=StatusCode.INVALID_ARGUMENT,
    zh="这个组织范围内没有这个电子身份证号。",
    en="There is no such e-ID within this organisation.",
)
GRANT_ENDED: Final = ErrorKind(
    reason="GRANT_ENDED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这项授权已经结束。",
    en="This grant has ended already.",
)
BOOTSTRAP_REFUSED: Final = ErrorKind(
    reason="BOOTSTRAP_REFUSED",
    code=StatusCode.PERMISSION_DENIED,
    zh="启用码、受理号或查询码不正确，或者启用码已经用过。",
    en="Bootstrap code, case number or case code is wrong, or the bootstrap code has been used.",
)
