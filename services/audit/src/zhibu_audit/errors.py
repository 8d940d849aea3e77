"""Why something about the log was refused."""

from typing import Final

from grpc import StatusCode
from zhibu_kit.errors import ErrorKind, declare_noun

declare_noun("entry", zh="日志条目", en="entry of the log")
declare_noun("log_file", zh="日志文件", en="file of the log")

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
ENTRY_NOT_PROVABLE: Final = ErrorKind(
    reason="ENTRY_NOT_PROVABLE",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个条目还没有进入已签名的检查点，请稍后再取证明。",
    en="This entry is not under a signed checkpoint yet; ask for its proof a little later.",
)
LOG_NOT_WHOLE: Final = ErrorKind(
    reason="LOG_NOT_WHOLE",
    code=StatusCode.DATA_LOSS,
    zh="日志的这一部分已损坏，无法给出证明。请联系运维人员。",
    en="This part of the log is damaged and proves nothing. Please tell the operators.",
)
PERIOD_NOT_VALID: Final = ErrorKind(
    reason="PERIOD_NOT_VALID",
    code=StatusCode.INVALID_ARGUMENT,
    zh="结束时间应晚于开始时间，且相距不超过{days}天。",
    en="The end must be later than the start, by at most {days} days.",
)
INCIDENTS_OF_PROVINCE: Final = ErrorKind(
    reason="INCIDENTS_OF_PROVINCE",
    code=StatusCode.FAILED_PRECONDITION,
    zh="日志事件由省级处理。",
    en="Incidents of the log are dealt with at the province.",
)
