"""Why a change of the organisation tree is refused."""

from typing import Final

from grpc import StatusCode
from zhibu_kit.errors import ErrorKind, declare_noun

declare_noun("organisation", zh="组织", en="organisation")

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
