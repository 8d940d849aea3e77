"""Texts of founding a virtual branch."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "founding.list_title": ("成立虚拟支部", "Founding virtual branches"),
    "founding.intro": (
        "党员可以发起成立网上的虚拟支部。有 3 名正式党员联名，就可以报县里审批。",
        "Members can found a virtual branch online. With three full members it goes to the county for approval.",
    ),
    "founding.new": ("发起成立一个虚拟支部", "Propose a virtual branch"),
    "founding.views": ("查看", "Views"),
    "founding.view.county": ("本县正在征集的", "Collecting in my county"),
    "founding.view.mine": ("我发起或联名的", "Mine"),
    "founding.empty.county": (
        "本县现在没有正在征集联名的虚拟支部。",
        "No virtual branch is collecting signatures in your county.",
    ),
    "founding.empty.mine": ("您还没有发起或联名。", "You have not proposed or signed any."),
    "founding.counted": ("正式党员 {count} / {wanted}", "full members {count} of {wanted}"),
    "founding.mine_signed": ("您已联名", "you signed"),
    "founding.step1": ("填写名称和用途", "Name it and say what it is for"),
    "founding.step1_text": ("您就是发起人，自动算一名联名。", "You are the initiator and the first who signs."),
    "founding.step2": ("请党员联名", "Ask members to sign"),
    "founding.step2_text": (
        "把页面地址发给他们，60 天内至少要有 3 名正式党员（含您）。",
        "Send them the address of the page; within 60 days three full members (you included) must sign.",
    ),
    "founding.step3": ("报县里审批", "Hand it to the county"),
    "founding.step3_text": (
        "批准后支部就成立，联名的党员都是支部成员。",
        "Once approved the branch exists, and those who signed are its members.",
    ),
    "founding.name": ("支部名称", "Name of the branch"),
    "founding.name_hint": ("例如：临朐县花卉行业网上党支部", "For example: Online branch of the flower trade of Linqu"),
    "founding.name_bad": ("请填写支部名称，4 到 60 个字", "Give the branch a name of 4 to 60 characters"),
    "founding.kind": ("支部类型", "Kind of branch"),
    "founding.kind_missing": ("请选择支部类型", "Choose the kind of branch"),
    "founding.place": ("设在哪个组织下面", "Below which organisation"),
    "founding.place_hint": (
        "一般选县；只涉及一个乡镇的，选那个乡镇。",
        "Usually the county; if only one township is concerned, that.",
    ),
    "founding.place_choose": ("请选择", "Choose"),
    "founding.place_missing": ("请选择设在哪个组织下面", "Choose below which organisation it shall stand"),
    "founding.purpose": ("成立的目的", "What it is for"),
    "founding.purpose_hint": (
        "说明谁参加、做什么，10 到 1000 个字。",
        "Who takes part and what is done, 10 to 1000 characters.",
    ),
    "founding.purpose_bad": ("请说明成立的目的，10 到 1000 个字", "Say what it is for in 10 to 1000 characters"),
    "founding.propose": ("发起", "Propose"),
    "founding.proposed": ("已发起，您是第一个联名的人。", "Proposed; you are the first who signed."),
    "founding.proposed_detail": (
        "请把本页地址发给其他党员，请他们登录后联名。",
        "Send the address of this page to other members and ask them to sign.",
    ),
    "founding.no_county": (
        "您的账号不属于某一个县，不能在这里发起。",
        "Your account belongs to no county, so you cannot propose here.",
    ),
    "founding.caption": ("拟成立的虚拟支部", "Proposed virtual branch"),
    "founding.wanting": (
        "已有 {count} 名正式党员联名，还差 {wanting} 名",
        "{count} full members have signed, {wanting} more are wanted",
    ),
    "founding.enough": (
        "已有 {count} 名正式党员联名，可以报县里审批",
        "{count} full members have signed; it can go to the county",
    ),
    "founding.signers": ("一共 {count} 人联名。", "{count} people have signed."),
    "founding.until": ("请在 {day} 前报县里，逾期作废。", "It must be handed in by {day}, otherwise it lapses."),
    "founding.waits": ("县委组织部正在审批。", "The county's organisation department is looking at it."),
    "founding.decided_until": ("{day} 前答复。", "You will have an answer before {day}."),
    "founding.exists": ("支部已经成立：", "The branch exists:"),
    "founding.refused_because": ("没有批准，原因：", "It was refused because:"),
    "founding.initiator": ("发起人", "Initiator"),
    "founding.you": ("您本人", "you"),
    "founding.proposed_on": ("发起日期", "Proposed on"),
    "founding.sign_means": (
        "联名表示您愿意参加这个支部。批准后您就是它的成员，您的实体支部不变。提交县里之前可以撤回。",
        (
            "By signing you say that you want to belong to this branch. Once it is approved you are its member; "
            "your physical branch stays. You can take the signature back until it goes to the county."
        ),
    ),
    "founding.sign": ("我愿意联名", "Sign"),
    "founding.signed": ("您已联名。", "You have signed."),
    "founding.unsign": ("撤回我的联名", "Take my signature back"),
    "founding.unsigned": ("您的联名已撤回。", "Your signature was taken back."),
    "founding.submit": ("报县里审批", "Hand it to the county"),
    "founding.submitted": ("已报县里审批。", "Handed to the county."),
    "founding.cosigners": ("联名的党员", "Who signed"),
    "founding.full": ("正式党员", "full member"),
    "founding.not_full": ("不计入人数", "does not count"),
    "founding.share": ("请别人联名", "Ask others to sign"),
    "founding.share_text": (
        "把下面的地址发给其他党员，他们登录后就能看到并联名。",
        "Send this address to other members; once logged in they see the page and can sign.",
    ),
    "founding.share_label": ("本页地址", "Address of this page"),
    "founding.copy": ("复制地址", "Copy the address"),
    "founding.copied": ("已复制", "Copied"),
    "founding.withdraw": ("撤回这次发起", "Withdraw the founding"),
    "founding.withdraw_title": ("撤回发起", "Withdraw the founding"),
    "founding.withdraw_text": (
        "撤回后，所有联名作废，要成立只能重新发起。",
        "All signatures become void; to found it after all you would have to begin again.",
    ),
    "founding.withdraw_yes": ("确定撤回", "Withdraw"),
    "founding.withdraw_no": ("不撤回", "Keep it"),
    "founding.withdrawn": ("已撤回。", "Withdrawn."),
}
