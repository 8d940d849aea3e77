"""Why something is refused that was wanted of a survey."""

from typing import Final

from grpc import StatusCode
from zhibu_kit.errors import ErrorKind

RATE_TOO_LOW: Final = ErrorKind(
    reason="RATE_TOO_LOW",
    code=StatusCode.FAILED_PRECONDITION,
    zh="具备上网条件的党员为 {rate}‰，未达到 {threshold}‰，暂不能上网。请继续调查登记。",
    en="{rate} in a thousand members are equipped, {threshold} are needed. Go on with the survey.",
)
NOTHING_TO_COUNTERSIGN: Final = ErrorKind(
    reason="NOTHING_TO_COUNTERSIGN",
    code=StatusCode.FAILED_PRECONDITION,
    zh="支部没有替您登记的内容待确认，您可以直接填写。",
    en="The branch has reported nothing that waits for your countersign; you may state it yourself.",
)
NOT_OF_THIS_BRANCH: Final = ErrorKind(
    reason="NOT_OF_THIS_BRANCH",
    code=StatusCode.INVALID_ARGUMENT,
    zh="此人不是这个实体支部的党员，请刷新名单后重新登记。",
    en="This person is no member of this physical branch; load the list again.",
)
NAMED_TWICE: Final = ErrorKind(
    reason="NAMED_TWICE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="同一名党员出现了两次，请删除重复的一条。",
    en="The same member stands here twice; remove one of the two.",
)
