"""Why something about the log was refused."""

from typing import Final

from grpc import StatusCode
from zhibu_kit.errors import ErrorKind

INCIDENT_NOT_OPEN: Final = ErrorKind(
    reason="INCIDENT_NOT_OPEN",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个日志事件已经结束，不能再签署。",
    en="This incident of the log is over and cannot be signed any more.",
)
INCIDENT_SECOND_SIGNER: Final = ErrorKind(
    reason="INCIDENT_SECOND_SIGNER",
    code=StatusCode.FAILED_PRECONDITION,
    zh="第二次签署必须由另一位负责人完成。",
    en="The second signature must be that of another officer.",
)
INCIDENT_STATEMENT_MISSING: Final = ErrorKind(
    reason="INCIDENT_STATEMENT_MISSING",
    code=StatusCode.INVALID_ARGUMENT,
    zh="第一次签署时请写明发生了什么。",
    en="The first signature needs a statement of what happened.",
)
LOG_STOPPED: Final = ErrorKind(
    reason="LOG_STOPPED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="日志整体暂停，请先处理恢复事件。",
    en="The whole log stands still; its restoring comes first.",
)
