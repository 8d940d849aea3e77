"""Texts of e-IDs for many people at once."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "eid_batch.start": ("批量发证", "Issue e-IDs"),
    "eid_batch.start_text": (
        "给{name}名册上所有还没有电子身份证的人发证。中断后会自动接着办，不会重复发。",
        "Issues e-IDs to everybody on the roll of {name} who has none. It resumes by itself and issues nothing twice.",
    ),
    "eid_batch.confirm": ("名册已核对无误，开始发证", "The roll has been checked; issue them"),
    "eid_batch.confirm_missing": ("请打勾确认名册已核对", "Tick that the roll has been checked"),
    "eid_batch.sheets": ("打印激活码", "Print activation codes"),
    "eid_batch.sheets_text": (
        "按党支部打印，一人一条，裁开后当面交给本人。重新打印后，以前的激活码作废。",
        "One sheet per branch, one strip per person, to be cut and handed over. Printing again ends earlier codes.",
    ),
    "eid_batch.branch": ("哪个党支部", "Branch"),
    "eid_batch.print": ("下载激活码（PDF）", "Download the codes (PDF)"),
    "eid_batch.earlier": ("历次批量发证", "Earlier batches"),
    "eid_batch.started": ("开始时间", "Started"),
    "eid_batch.total": ("人数", "People"),
    "eid_batch.issued": ("已发", "Issued"),
    "eid_batch.failed": ("没有发成", "Not issued"),
    "eid_batch.done": ("已完成", "Done"),
    "eid_batch.running": ("正在办理", "Working"),
    "eid_batch.none": ("还没有批量发过证。", "No batch has been started yet."),
    "eid_batch.progress": (
        "共 {total} 人：已发 {issued} 人，没有发成 {failed} 人",
        "{total} in all: {issued} issued, {failed} not issued",
    ),
    "eid_batch.failures": ("没有发成的人", "People without"),
}
