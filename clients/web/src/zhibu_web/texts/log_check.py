"""Texts of the part of a page on which the proof of an entry is checked; the script fills their placeholders."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "log_check.title": ("核对证明", "Check the proof"),
    "log_check.lead": (
        "核对在您的设备上进行，不向任何人发送内容：从这一条算起，一步步算到日志的签名。",
        "The check runs on your device and sends nothing to anybody: from this entry, step by step, up to the log's signature.",
    ),
    "log_check.no_script": (
        "在本页核对需要较新的浏览器，并启用 JavaScript。没有也可以：下载下面两个文件，请懂行的人用公开的工具核对。",
        "Checking on this page needs a newer browser with JavaScript. Without it, download the two files below and have them checked with public tools.",
    ),
    "log_check.no_crypto": (
        "这个浏览器不能在本页计算，什么都没有核对。请换一个较新的浏览器，并用 https 打开。",
        "This browser cannot compute here, and nothing was checked. Use a newer browser, and open the page with https.",
    ),
    "log_check.working": ("正在核对……", "Checking…"),
    "log_check.limits": ("核对不能说明什么", "What the check does not tell"),
    "log_check.limit_screen": (
        "有人从屏幕上抄走、拍走，日志不知道。",
        "The log does not know of what somebody copies or photographs from a screen.",
    ),
    "log_check.limit_account": (
        "日志记的是账号和职务；账号被别人冒用，记的还是原来的账号。",
        "It knows account and office; an account in other hands still stands there as that account.",
    ),
    "log_check.limit_keys": (
        "公钥也是本网站给的；要放心，请与组织部门另外公布的比较。",
        "The keys come from this site too; to be sure, compare them with the ones that were published elsewhere.",
    ),
    "log_check.files": ("带走文件", "Take the files along"),
    "log_check.files_text": (
        "证明和条目是两个小文件，谁都可以不联网再核对一遍；里面没有姓名和号码。",
        "Proof and entry are two small files that anybody can check again without a network; they hold no names or numbers.",
    ),
    "log_check.proof_file": ("下载证明（.tlog-proof）", "Download the proof (.tlog-proof)"),
    "log_check.leaf_file": ("下载条目（.json）", "Download the entry (.json)"),
    "log_check.step.file": ("证明文件", "The proof file"),
    "log_check.step.words": ("本页写的和日志里写的", "What this page says and what the log says"),
    "log_check.step.tree": ("这一条在日志里", "The entry is in the log"),
    "log_check.step.log": ("日志的签名", "The log's signature"),
    "log_check.step.witnesses": ("见证人的签名", "The witnesses' signatures"),
    "log_check.step.person": ("这一条和您有关", "The entry is about you"),
    "log_check.step.memory": ("和上次看到的日志比较", "Compared with the log as last seen"),
    "log_check.state.good": ("正确", "right"),
    "log_check.state.bad": ("不对", "wrong"),
    "log_check.state.unchecked": ("没有核对", "not checked"),
    "log_check.verdict.good": ("核对通过", "The proof is good"),
    "log_check.verdict.bad": ("核对没有通过", "The proof is not good"),
    "log_check.verdict.unchecked": ("只核对了一部分", "Only a part was checked"),
    "log_check.verdict_text.good": (
        "这一条确实在日志里，内容和本页一致；谁要改动或删除它，都会被发现。",
        "The entry stands in the log as this page shows it; nobody can change or remove it unseen.",
    ),
    "log_check.verdict_text.bad": (
        "有一步不对，见下面标 ✗ 的地方。请下载两个文件，交给县委组织部查问。",
        "A step is wrong; see what is marked ✗ below. Download the two files and ask the county organisation department.",
    ),
    "log_check.verdict_text.unchecked": (
        "核对过的都正确，还有 {count} 步没有核对，原因写在下面。",
        "Everything that was checked is right; {count} were not checked, and it says below why.",
    ),
    "log_check.reason.MALFORMED": (
        "写法不合规定，不能相信。",
        "It is not written as it must be, and cannot be believed.",
    ),
    "log_check.reason.NOT_READ": (
        "前面有一步不对，这一步没法核对。",
        "A step before is wrong, so this one cannot be checked.",
    ),
    "log_check.reason.NOT_READABLE": ("读不懂日志里的这一条。", "The entry in the log cannot be read."),
    "log_check.reason.NO_ED25519": (
        "这个浏览器不会核对 Ed25519 签名，所以没有核对。请换一个较新的浏览器。",
        "This browser cannot check Ed25519 signatures, so this was not checked. Use a newer browser.",
    ),
    "log_check.reason.file.good": (
        "写法正确，说的是日志里第 {index} 号位置。",
        "It is written as it must be, and is about place {index} of the log.",
    ),
    "log_check.reason.file.OTHER_LOG": ("它来自另一个日志。", "It comes from another log."),
    "log_check.reason.words.good": (
        "每一项先是本页写的，后面是日志里的原文，两边一致。",
        "This page's words beside the log's own; both say the same.",
    ),
    "log_check.reason.words.DIFFERS": (
        "本页写的和日志里的不一样：标 ✗ 的一行，应以日志为准。",
        "This page says something else than the log: where there is ✗, the log counts.",
    ),
    "log_check.reason.tree.good": (
        "从这一条算出了检查点上的根哈希，它是日志 {size} 条中的一条。",
        "The root of the checkpoint was computed from this entry: it is one of the log's {size}.",
    ),
    "log_check.reason.tree.OTHER_ROOT": (
        "从这一条算不出检查点上的根哈希：这一条被改过，或者不在日志里。",
        "The entry does not lead to the root of the checkpoint: it was changed, or is not in the log.",
    ),
    "log_check.reason.log.good": (
        "检查点由日志“{origin}”签名，公钥是 {key}",
        "The checkpoint is signed by the log {origin}; its key is {key}",
    ),
    "log_check.reason.log.NOT_SIGNED": ("检查点上没有日志的签名。", "The checkpoint is not signed by the log."),
    "log_check.reason.log.SIGNATURE_WRONG": ("日志的签名不对。", "The log's signature is wrong."),
    "log_check.reason.witnesses.good": (
        "有 {count} 位见证人签了名，至少要 {quorum} 位。见证人只给“只增不改”的日志签名：",
        "{count} witnesses have signed, and at least {quorum} must. A witness signs only a log that has grown and not changed:",
    ),
    "log_check.reason.witnesses.COSIGNATURE_WRONG": (
        "见证人 {witness} 的签名不对。",
        "The signature of the witness {witness} is wrong.",
    ),
    "log_check.reason.witnesses.TOO_FEW_WITNESSES": (
        "只有 {count} 位见证人签了名，至少要 {quorum} 位。",
        "Only {count} witnesses have signed; at least {quorum} must.",
    ),
    "log_check.reason.witnesses.NO_WITNESSES": (
        "这个日志没有要求见证人签名，所以没有旁人作证。",
        "This log demands no witnesses, so nobody else vouches for it.",
    ),
    "log_check.reason.person.good": (
        "这一条一共关于 {count} 人，其中有您。别人的名字看不到。",
        "The entry is about {count} people, and you are one of them. The others cannot be seen.",
    ),
    "log_check.reason.person.NAMED": ("这一条直接写明了您的编号。", "The entry names your identifier itself."),
    "log_check.reason.person.NOT_NAMED": ("这一条没有写到您。", "The entry does not name you."),
    "log_check.reason.person.OTHER_PERSON": ("给出的是另一个人的位置。", "It opens the place of somebody else."),
    "log_check.reason.person.NO_PLACE": ("在这一条里找不到您的位置。", "Your place is not in the entry."),
    "log_check.reason.person.OTHER_COMMITMENT": (
        "名单和日志里登记的对不上。",
        "The list does not fit what the log has on record.",
    ),
    "log_check.reason.memory.good": (
        "上次看到 {before} 条，现在 {size} 条，没有变短。",
        "It had {before} entries last time and has {size} now: it has not become shorter.",
    ),
    "log_check.reason.memory.FIRST": (
        "第一次在这个浏览器核对。已记住日志现在有 {size} 条，下次来比较；没有记下您的任何信息。",
        "The first check in this browser. It has noted that the log has {size} entries, to compare next time; nothing about you is kept.",
    ),
    "log_check.reason.memory.OTHER_KEY": (
        "日志的名称或公钥和上次不同。如果组织部门没有公布过日志重新开始，请去查问。",
        "Name or key of the log are not those of last time. Unless it was announced that the log began anew, ask about it.",
    ),
    "log_check.reason.memory.OTHER_WITNESSES": (
        "见证人和上次不同，见证人更换应当公布过。",
        "The witnesses are not those of last time; such a change should have been announced.",
    ),
    "log_check.reason.memory.SHORTER": (
        "上次看到 {before} 条，现在只有 {size} 条：日志变短了，不应当发生。",
        "It had {before} entries last time and only {size} now: the log became shorter, which must not happen.",
    ),
    "log_check.reason.memory.FORKED": (
        "还是 {size} 条，内容却和上次不同，不应当发生。",
        "It has {size} entries as last time, but other contents, which must not happen.",
    ),
    "log_check.reason.memory.NO_MEMORY": (
        "这个浏览器不让本页记东西，下次没法比较。",
        "This browser does not let the page remember anything, so there will be nothing to compare.",
    ),
    "log_check.cosigned": ("{name}，{time}", "{name}, {time}"),
    "log_check.word.caption": ("本页和日志逐项对照", "This page and the log, item by item"),
    "log_check.word.field": ("项目", "Item"),
    "log_check.word.page": ("本页", "This page"),
    "log_check.word.log": ("日志", "The log"),
    "log_check.word.same": ("一致", "Same"),
    "log_check.word.yes": ("一致", "same"),
    "log_check.word.no": ("不一致", "different"),
    "log_check.word.nothing": ("（空）", "(nothing)"),
    "log_check.word.keep": ("我已问清楚，以后按新的比较", "I have asked; compare with the new one from now on"),
    "log_check.word.kept": ("已记住新的。", "The new one is remembered."),
    "log_check.word.failed": (
        "核对中断了，什么结论也没有。请刷新本页再试。",
        "The check broke off without a result. Load the page again.",
    ),
    "log_check.field.time": ("时间", "When"),
    "log_check.field.action": ("事项", "Act"),
    "log_check.field.outcome": ("结果", "Outcome"),
    "log_check.field.offices": ("职务", "Office"),
    "log_check.field.organisation": ("所涉组织", "Organisation"),
    "log_check.field.lane": ("记录的服务", "Service that wrote it"),
    "log_check.field.sequence": ("服务内编号", "Number in the service"),
    "log_check.field.reason": ("拒绝原因", "Reason of the refusal"),
    "log_check.field.account": ("账号", "Account"),
    "log_check.field.member": ("经办人", "Who did it"),
    "log_check.field.service": ("调用的服务", "Calling service"),
    "log_check.field.subject": ("对象编号", "Subject"),
    "log_check.field.count": ("涉及人数", "People concerned"),
    "entry_outcome.ENTRY_OUTCOME_UNSPECIFIED": ("未知", "Unknown"),
    "entry_outcome.ENTRY_OUTCOME_DONE": ("改动", "Changed"),
    "entry_outcome.ENTRY_OUTCOME_READ": ("查看", "Read"),
    "entry_outcome.ENTRY_OUTCOME_REFUSED": ("被拒绝", "Refused"),
}
