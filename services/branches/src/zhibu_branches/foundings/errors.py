"""Why something is refused that was wanted of a founding."""

from typing import Final

from grpc import StatusCode
from zhibu_kit.errors import ErrorKind, declare_noun

declare_noun("founding", zh="组建提议", en="founding")

MEMBER_RECORD_REQUIRED: Final = ErrorKind(
    reason="MEMBER_RECORD_REQUIRED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="您还没有编入党支部，暂不能办理。请与所在县委组织部联系。",
    en="No branch holds your record yet, so you cannot do this. Please ask your county's organisation department.",
)
FOUNDING_PARENT_NOT_ALLOWED: Final = ErrorKind(
    reason="FOUNDING_PARENT_NOT_ALLOWED",
    code=StatusCode.INVALID_ARGUMENT,
    zh="虚拟支部只能设在县委、乡镇（街道）党委或系统党委之下，请重新选择。",
    en="A virtual branch stands below a county, a township or a sector committee; choose one of these.",
)
FOUNDING_KIND_UNKNOWN: Final = ErrorKind(
    reason="FOUNDING_KIND_UNKNOWN",
    code=StatusCode.INVALID_ARGUMENT,
    zh="本县没有这类虚拟支部，或者已停止组建，请从列表中选择。",
    en="The county does not have this kind of virtual branch, or has closed it; choose one from the list.",
)
FOUNDING_NAME_TAKEN: Final = ErrorKind(
    reason="FOUNDING_NAME_TAKEN",
    code=StatusCode.ALREADY_EXISTS,
    zh="同一上级组织下已有人提议组建同名支部，请换一个名称，或者联名加入那份提议。",
    en="A branch of this name is being founded below the same organisation already; take another name, or sign that one.",
)
TOO_MANY_FOUNDINGS: Final = ErrorKind(
    reason="TOO_MANY_FOUNDINGS",
    code=StatusCode.FAILED_PRECONDITION,
    zh="您已有 {count} 份提议尚未办结，请先办结或撤回其中一份。",
    en="You have {count} open foundings; finish or withdraw one of them first.",
)
FOUNDING_NOT_COLLECTING: Final = ErrorKind(
    reason="FOUNDING_NOT_COLLECTING",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这份提议已不再征集联名，请刷新后查看。",
    en="This founding no longer collects signatures. Load the page again.",
)
FOUNDING_NOT_SUBMITTED: Final = ErrorKind(
    reason="FOUNDING_NOT_SUBMITTED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这份提议不在待审批状态，请刷新后查看。",
    en="This founding does not wait for a decision. Load the page again.",
)
FOUNDING_CLOSED: Final = ErrorKind(
    reason="FOUNDING_CLOSED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这份提议已经办结。",
    en="This founding has ended already.",
)
FOUNDING_OVER: Final = ErrorKind(
    reason="FOUNDING_OVER",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这份提议已过期限，请重新提议。",
    en="The time for this founding is over; propose it again.",
)
FOUNDING_FULL: Final = ErrorKind(
    reason="FOUNDING_FULL",
    code=StatusCode.FAILED_PRECONDITION,
    zh="联名人数已达上限（{count} 人）。支部成立后可以申请加入。",
    en="The founding has as many signatures as it can have ({count}). Ask to join the branch once it exists.",
)
FULL_MEMBERS_MISSING: Final = ErrorKind(
    reason="FULL_MEMBERS_MISSING",
    code=StatusCode.FAILED_PRECONDITION,
    zh="联名的正式党员现有 {count} 人，不足 {required} 人。请继续征集联名。",
    en="{count} full members have signed, {required} are needed. Collect more signatures.",
)
INITIATOR_ONLY: Final = ErrorKind(
    reason="INITIATOR_ONLY",
    code=StatusCode.PERMISSION_DENIED,
    zh="只有发起人可以办理。",
    en="Only the one who proposed the founding may do this.",
)
INITIATOR_SIGNS: Final = ErrorKind(
    reason="INITIATOR_SIGNS",
    code=StatusCode.FAILED_PRECONDITION,
    zh="发起人不能单独撤回联名，可以撤回整份提议。",
    en="Whoever proposed the founding cannot take the signature back, but can withdraw the founding.",
)
KIND_NAMED_TWICE: Final = ErrorKind(
    reason="KIND_NAMED_TWICE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="类别 {kind} 重复。",
    en="The kind {kind} stands in the list twice.",
)
KIND_IN_USE: Final = ErrorKind(
    reason="KIND_IN_USE",
    code=StatusCode.FAILED_PRECONDITION,
    zh="类别 {kind} 已被使用，不能删除，可以停用。",
    en="The kind {kind} is in use; it can be closed, not removed.",
)
NO_KIND_ACTIVE: Final = ErrorKind(
    reason="NO_KIND_ACTIVE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="至少保留一个启用的类别。",
    en="Leave at least one kind open.",
)
COUNTY_EXPECTED: Final = ErrorKind(
    reason="COUNTY_EXPECTED",
    code=StatusCode.INVALID_ARGUMENT,
    zh="这项设置属于县级，请选择县（市、区）。",
    en="This belongs to a county; name one.",
)
