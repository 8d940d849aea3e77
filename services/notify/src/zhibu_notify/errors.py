"""Why a message was not sent."""

from typing import Final

from grpc import StatusCode
from zhibu_kit.errors import ErrorKind

SMSC_UNAVAILABLE: Final = ErrorKind(
    reason="SMSC_UNAVAILABLE",
    code=StatusCode.UNAVAILABLE,
    zh="短信通道暂时不可用，请稍后再试。",
    en="Text messages cannot be sent at the moment; please try again shortly.",
)
SMSC_THROTTLED: Final = ErrorKind(
    reason="SMSC_THROTTLED",
    code=StatusCode.UNAVAILABLE,
    zh="短信通道繁忙，请稍后再试。",
    en="The text message service is busy; please try again shortly.",
)
SMS_OUTCOME_UNKNOWN: Final = ErrorKind(
    reason="SMS_OUTCOME_UNKNOWN",
    code=StatusCode.UNAVAILABLE,
    zh="短信可能已经发出。如果一分钟内没有收到，请重新获取。",
    en="The message may have been sent. If it does not arrive within a minute, ask for a new one.",
)
SMS_NUMBER_REFUSED: Final = ErrorKind(
    reason="SMS_NUMBER_REFUSED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个手机号码无法接收短信，请核对号码。",
    en="This telephone number cannot receive messages; please check it.",
)
SMS_LIMIT_REACHED: Final = ErrorKind(
    reason="SMS_LIMIT_REACHED",
    code=StatusCode.RESOURCE_EXHAUSTED,
    zh="发送到这个号码的短信过于频繁，请在{wait_s}秒后再试。",
    en="Too many messages to this number; please try again in {wait_s} seconds.",
)
