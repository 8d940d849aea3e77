"""Texts of the desk for foundings and for requests to join a virtual branch."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "desk_founding.tab.waiting": ("等待审批", "Waiting"),
    "desk_founding.tab.collecting": ("正在征集联名", "Collecting"),
    "desk_founding.tab.approved": ("已批准", "Approved"),
    "desk_founding.tab.closed": ("未批准、撤回、过期", "Refused, withdrawn, expired"),
    "desk_founding.name": ("支部名称", "Name"),
    "desk_founding.kind": ("类型", "Kind"),
    "desk_founding.above": ("上级党组织", "Under"),
    "desk_founding.purpose": ("设立目的", "Purpose"),
    "desk_founding.initiator": ("发起人", "Proposed by"),
    "desk_founding.signed": ("联名", "Signed"),
    "desk_founding.signed_value": ("{count} 人，其中正式党员 {full} 人", "{count}, of whom {full} full members"),
    "desk_founding.until": ("截止", "Until"),
    "desk_founding.none": ("没有这样的申请。", "There are none."),
    "desk_founding.none_waiting": (
        "没有等待审批的申请。党员报来后会出现在这里，并发消息通知您。",
        "Nothing waits for you. What members submit appears here, and a notice tells you.",
    ),
    "desk_founding.to_branch": ("查看这个支部", "Show the branch"),
    "desk_founding.cosigners": ("联名的人", "Who signed"),
    "desk_founding.counts": ("是否计入", "Counts"),
    "desk_founding.full": ("正式党员，计入", "Full member, counts"),
    "desk_founding.not_full": ("不计入", "Does not count"),
    "desk_founding.sign_time": ("联名时间", "Signed on"),
    "desk_founding.approve": ("批准成立", "Approve"),
    "desk_founding.approve_text": (
        "批准后支部立即成立，联名的 {count} 人成为它的党员；他们的实体支部不变。",
        "The branch exists at once and its {count} signers are its members; their physical branches stay.",
    ),
    "desk_founding.approved": ("已批准，支部已成立。", "Approved; the branch exists."),
    "desk_founding.refuse": ("不批准", "Refuse"),
    "desk_founding.note": ("不批准的理由", "Why not"),
    "desk_founding.note_hint": ("联名的人都会看到。", "All signers will read it."),
    "desk_founding.note_missing": ("请写明不批准的理由", "Say why it is refused"),
    "desk_founding.refused": ("已答复不批准。", "Refused."),
    "desk_request.reason": ("加入的理由", "Why"),
    "desk_request.asked": ("申请时间", "Asked"),
    "desk_request.note": ("不同意的理由（不同意时必填）", "Why not (needed to refuse)"),
    "desk_request.note_missing": ("不同意时请写明理由", "Say why you refuse"),
    "desk_request.admit": ("同意加入", "Take in"),
    "desk_request.refuse": ("不同意", "Refuse"),
    "desk_request.admitted": ("已加入本支部。", "Taken in."),
    "desk_request.refused": ("已答复不同意。", "Refused."),
    "desk_request.none": (
        "没有等待答复的加入申请。党员申请后会出现在这里，并发消息通知您。",
        "No requests wait. What members ask for appears here, and a notice tells you.",
    ),
}
