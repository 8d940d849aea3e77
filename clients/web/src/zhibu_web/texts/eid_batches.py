"""Texts of e-IDs for many people at once, and of the sheets with their activation codes."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "eid_batch.entitled": ("可以发证", "Would get one"),
    "eid_batch.holders": ("已有电子身份证", "Have one"),
    "eid_batch.unknown": ("状态未登记", "Status not recorded"),
    "eid_batch.revoked": ("已注销过", "Revoked before"),
    "eid_batch.unknown_text": (
        "状态未登记的人暂不发证：请先在花名册或人员档案中登记是申请人、积极分子、预备党员还是正式党员。",
        "Whoever has no status gets none yet: record in the roster or the person's record what they are.",
    ),
    "eid_batch.revoked_text": (
        "电子身份证注销过的人不在批量范围内，请本人重新申请。",
        "Whoever's e-ID was revoked is not part of it; they apply anew.",
    ),
    "eid_batch.runs": ("正在批量发证。", "e-IDs are being issued now."),
    "eid_batch.look": ("查看进度", "See how far it is"),
    "eid_batch.nobody": ("没有需要发证的人。", "Nobody needs one."),
    "eid_batch.start": ("批量发证", "Issue e-IDs"),
    "eid_batch.start_text": (
        "将给{name}的 {count} 人发电子身份证。中断后会自动接着办，不会重复发。",
        "{count} people of {name} will get an e-ID. It goes on by itself after an interruption and issues nothing twice.",
    ),
    "eid_batch.confirm": (
        "名册已核对无误，给这 {count} 人发证",
        "The roll has been checked; issue e-IDs to these {count} people",
    ),
    "eid_batch.confirm_missing": ("请打勾确认名册已核对", "Tick that the roll has been checked"),
    "eid_batch.to_sheets": ("打印激活码", "Print activation codes"),
    "eid_batch.earlier": ("历次批量发证", "Earlier batches"),
    "eid_batch.started": ("开始时间", "Started"),
    "eid_batch.total": ("人数", "People"),
    "eid_batch.issued": ("已发", "Issued"),
    "eid_batch.failed": ("没有发成", "Not issued"),
    "eid_batch.done": ("已完成", "Done"),
    "eid_batch.running": ("正在办理", "Working"),
    "eid_batch.none": ("还没有批量发过证。", "No batch has been started yet."),
    "eid_batch.progress": (
        "共 {total} 人：已发 {issued} 人，没有发成 {failed} 人。",
        "{total} in all: {issued} issued, {failed} not issued.",
    ),
    "eid_batch.skipped": ("另有 {count} 人已通过其他途径发证。", "{count} got theirs by another way."),
    "eid_batch.all_done": ("已全部办完。", "All done."),
    "eid_batch.leave": (
        "正在办理。可以离开这个页面，办理不会中断。",
        "Working. You may leave this page; the work goes on.",
    ),
    "eid_batch.failures": ("没有发成的人", "People without"),
    "eid_batch.failures_text": (
        "按说明处理后再次批量发证，只会给还没有的人发。",
        "Put things right as told, then start again: only those without get one.",
    ),
    "sheet.text": (
        "一人一条，裁开后当面交给本人，七天内有效。重新打印后，以前的激活码作废。",
        "A strip per person, to be cut and handed over in person; good for seven days. Printing again ends earlier codes.",
    ),
    "sheet.branch": ("党支部", "Branch"),
    "sheet.waiting": ("未激活", "Not in use"),
    "sheet.coded": ("其中激活码有效", "Of them with a good code"),
    "sheet.print": ("打印（PDF）", "Print (PDF)"),
    "sheet.all": ("全部打印在一个文件里", "All in one file"),
    "sheet.all_text": (
        "{name}所有未激活的人，每个党支部另起一页。人多时请按乡镇（街道）或党支部打印。",
        "Everybody of {name} whose e-ID is not in use, each branch on its own page. For many, print by township or branch.",
    ),
    "sheet.print_all": ("全部打印（PDF）", "Print all (PDF)"),
    "sheet.nobody": ("没有等待激活的人，不需要打印。", "Nobody waits for an activation; there is nothing to print."),
    "sheet.file_name": ("激活码-{name}.pdf", "activation-codes-{name}.pdf"),
}
