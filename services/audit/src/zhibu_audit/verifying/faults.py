"""What a check finds wrong beside what `zhibu_tlog` finds, and how every kind reads in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zhibu_tlog.findings import Finding, FindingKind


class FaultKind(StrEnum):
    """What is wrong with the entries of a log, or with an export."""

    ENTRY_MALFORMED = "ENTRY_MALFORMED"
    """An entry is not canonical JSON of a known kind."""
    LANE_GAP = "LANE_GAP"
    """Numbers of a lane are missing, and no incident says so."""
    LANE_REPEATED = "LANE_REPEATED"
    """A number of a lane comes again, or after a larger one."""
    LANE_CHAIN_BROKEN = "LANE_CHAIN_BROKEN"
    """A row is not the one over which its lane's chain was made."""
    INCIDENT_MISPLACED = "INCIDENT_MISPLACED"
    """An incident does not begin where its lane stands, ends before it, or is not signed by two."""
    ORIGIN_MISPLACED = "ORIGIN_MISPLACED"
    """An entry that begins a log stands elsewhere than at its beginning."""
    EXPORT_MALFORMED = "EXPORT_MALFORMED"
    """A file of an export is missing, damaged or none."""
    EXPORT_CHANGED = "EXPORT_CHANGED"
    """A file of an export is not the one of which SHA256SUMS tells."""
    EXPORT_COUNT = "EXPORT_COUNT"
    """An export has other entries than it says: too few, too many, one twice, or one of another time."""
    PROOF_REFUSED = "PROOF_REFUSED"
    """An entry of an export is not proved to be in the log."""


Kind = FaultKind | FindingKind

TEXTS: Final[dict[Kind, tuple[str, str]]] = {
    FindingKind.CHECKPOINT_REFUSED: (
        "检查点无效或签名不符",
        "the checkpoint is none, of another log, or not signed by its key",
    ),
    FindingKind.COSIGNATURES_MISSING: (
        "见证签名不足或有误",
        "too few witnesses have cosigned, or one cosignature is wrong",
    ),
    FindingKind.FILE_MISSING: ("缺少文件", "a file is missing"),
    FindingKind.FILE_MALFORMED: ("文件损坏", "a file is damaged"),
    FindingKind.ENTRIES_CHANGED: (
        "条目被改动、删除、插入或调换",
        "entries were changed, removed, inserted or reordered",
    ),
    FindingKind.TILE_CHANGED: ("哈希分片被改动", "a tile of hashes was changed"),
    FindingKind.ROOT_CHANGED: ("树根与检查点不符", "the tree has another root than the checkpoint says"),
    FindingKind.TRUNCATED: ("日志比以前短：末尾被截去", "the log is shorter than it was: its end was cut off"),
    FindingKind.FORKED: (
        "日志不是以前那份的延续：被重写或分叉",
        "the log does not continue what it was: rewritten or forked",
    ),
    FindingKind.UNEXPECTED_FILE: ("多出不属于日志的文件", "a file does not belong to the log"),
    FindingKind.PAST_CHANGED: ("以前留下的部分文件与现在不符", "a partial file of an earlier size says something else"),
    FaultKind.ENTRY_MALFORMED: ("条目不是规定的写法", "an entry is not canonical JSON of a known kind"),
    FaultKind.LANE_GAP: ("服务的编号缺失，且没有事件说明", "numbers of a lane are missing, and no incident says so"),
    FaultKind.LANE_REPEATED: ("服务的编号重复或倒退", "a number of a lane comes again, or after a larger one"),
    FaultKind.LANE_CHAIN_BROKEN: ("服务的哈希链断开：记录被改动", "the chain of a lane is broken: a row was changed"),
    FaultKind.INCIDENT_MISPLACED: (
        "事件条目的位置或签名不对",
        "an incident stands in the wrong place or is not signed by two",
    ),
    FaultKind.ORIGIN_MISPLACED: ("起点条目不在日志开头", "an origin entry stands elsewhere than at the beginning"),
    FaultKind.EXPORT_MALFORMED: ("导出文件缺失或损坏", "a file of the export is missing or damaged"),
    FaultKind.EXPORT_CHANGED: (
        "导出文件与其校验和不符",
        "a file of the export is not the one of which SHA256SUMS tells",
    ),
    FaultKind.EXPORT_COUNT: ("导出的条目数量、次序或时间不符", "the export has other entries than it says"),
    FaultKind.PROOF_REFUSED: ("条目的证明不成立", "an entry is not proved to be in the log"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong, where, and what exactly."""

    kind: Kind
    where: str
    detail: str

    @classmethod
    def of(cls, finding: Finding) -> Fault:
        """Take over what the check of the tree found."""
        return cls(kind=finding.kind, where=finding.path, detail=finding.message)
