"""Why a change of the organisation tree is refused."""

from typing import Final

from grpc import StatusCode
from zhibu_kit.errors import ErrorKind, declare_noun

declare_noun("organisation", zh="组织", en="organisation")
declare_noun("branch", zh="党支部", en="branch")
declare_noun("member", zh="党员", en="member")
declare_noun("membership_request", zh="加入申请", en="membership request")
declare_noun("organisation_change", zh="组织变更", en="organisation change")
declare_noun("roster", zh="花名册", en="roster")

ORGANISATION_EXISTS: Final = ErrorKind(
    reason="ORGANISATION_EXISTS",
    code=StatusCode.ALREADY_EXISTS,
    zh="这个代码的组织已经存在。",
    en="There is an organisation with this code already.",
)
ORGANISATION_NAME_TAKEN: Final = ErrorKind(
    reason="ORGANISATION_NAME_TAKEN",
    code=StatusCode.ALREADY_EXISTS,
    zh="上级组织下已有同名组织。",
    en="There is an organisation of this name below the same one already.",
)
ORGANISATION_DISSOLVED: Final = ErrorKind(
    reason="ORGANISATION_DISSOLVED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个组织已经撤销。",
    en="This organisation has been dissolved.",
)
LEVEL_NOT_ALLOWED: Final = ErrorKind(
    reason="LEVEL_NOT_ALLOWED",
    code=StatusCode.INVALID_ARGUMENT,
    zh="这一级组织不能设在所选的上级组织之下。",
    en="An organisation of this level cannot stand below the one chosen.",
)
CODE_REQUIRED: Final = ErrorKind(
    reason="CODE_REQUIRED",
    code=StatusCode.INVALID_ARGUMENT,
    zh="市、县级组织须填写行政区划代码。",
    en="Cities and counties need their division code.",
)
CODE_NOT_ALLOWED: Final = ErrorKind(
    reason="CODE_NOT_ALLOWED",
    code=StatusCode.INVALID_ARGUMENT,
    zh="党支部的代码由系统分配，请勿填写。",
    en="A branch gets its code from the system; leave it empty.",
)
CODE_NOT_BELOW_PARENT: Final = ErrorKind(
    reason="CODE_NOT_BELOW_PARENT",
    code=StatusCode.INVALID_ARGUMENT,
    zh="行政区划代码与级别或上级组织不符。",
    en="The division code does not fit the level or the organisation above.",
)
NAME_NOT_READABLE: Final = ErrorKind(
    reason="NAME_NOT_READABLE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="名称为空或含有看不见的字符，请重新填写。",
    en="The name is empty or holds invisible characters.",
)
MEMBER_HAS_RECORD: Final = ErrorKind(
    reason="MEMBER_HAS_RECORD",
    code=StatusCode.ALREADY_EXISTS,
    zh="此人已编入党支部，不能重复编入；调整所在党支部请用组织关系接转或花名册。",
    en="A branch holds this person already. To change the branch, use a transfer or a roster.",
)
MEMBER_NOT_PRESENT: Final = ErrorKind(
    reason="MEMBER_NOT_PRESENT",
    code=StatusCode.FAILED_PRECONDITION,
    zh="此人的党员档案已终止，不能再办理。",
    en="This member's record has ended; nothing more can be done with it.",
)
ALREADY_MEMBER: Final = ErrorKind(
    reason="ALREADY_MEMBER",
    code=StatusCode.ALREADY_EXISTS,
    zh="此人已在这个党支部中。",
    en="This person belongs to this branch already.",
)
NOT_A_MEMBER: Final = ErrorKind(
    reason="NOT_A_MEMBER",
    code=StatusCode.FAILED_PRECONDITION,
    zh="此人不在这个党支部中，请刷新后查看。",
    en="This person does not belong to this branch. Load the page again.",
)
BRANCH_IS_VIRTUAL: Final = ErrorKind(
    reason="BRANCH_IS_VIRTUAL",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这是虚拟支部，党员的组织关系须在实体支部，请选择实体支部。",
    en="This is a virtual branch; choose a physical branch, which is where members belong.",
)
BRANCH_IS_PHYSICAL: Final = ErrorKind(
    reason="BRANCH_IS_PHYSICAL",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这是实体支部，加入或离开须接转组织关系；请选择虚拟支部。",
    en="This is a physical branch, which is joined and left by a transfer; choose a virtual branch.",
)
