"""Texts of a member's own record and data, corrections, and the change of the telephone."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "record.title": ("我的党员档案", "My membership record"),
    "record.none": (
        "还没有登记您的党员信息。请与所在党支部或组织部门联系。",
        "There is no record about you yet. Ask your branch or the organisation department.",
    ),
    "record.status": ("身份", "Status"),
    "record.since": ("{day} 起", "since {day}"),
    "record.applied": ("申请入党日期", "Applied on"),
    "record.admitted": ("入党日期", "Admitted on"),
    "record.confirmed": ("转正日期", "Confirmed on"),
    "record.occupation": ("职业类别", "Occupation"),
    "record.standing": ("在册情况", "Standing"),
    "record.not_recorded": ("未登记", "Not recorded"),
    "record.wrong": ("这里有错？申请更正", "Something wrong? Ask for a correction"),
    "record.history": ("变更记录", "History"),
    "record.no_history": ("还没有变更记录。", "There is no history yet."),
    "my_data.title": ("我的个人信息", "My personal data"),
    "my_data.intro": (
        "平台保存的您的个人信息都在这里。号码平时只显示一部分，点“显示完整号码”才全部显示。",
        "Everything personal that the platform keeps about you. Numbers are shown in part until you ask for all of them.",
    ),
    "my_data.show": ("显示完整号码", "Show the whole number"),
    "my_data.gender": ("性别", "Gender"),
    "my_data.birth_date": ("出生日期", "Date of birth"),
    "my_data.correct": ("申请更正", "Correct"),
    "my_data.codes_go_elsewhere": (
        "登录验证码发到另一个号码：{number}。请点“更换”，两处会统一为您验证过的号码。",
        "Log-in codes go to another number: {number}. Press “Change”: both become the number that you prove.",
    ),
    "my_data.change": ("更换", "Change"),
    "my_data.none": ("没有您的个人信息。", "Nothing personal is kept about you."),
    "my_data.download_title": ("下载我的全部数据", "Download all my data"),
    "my_data.download_text": (
        "得到一个压缩文件，里面是平台保存的与您有关的全部数据。请只存在自己的设备上。",
        "You get one compressed file with everything that the platform keeps about you. Keep it on a device of your own only.",
    ),
    "my_data.download": ("下载（ZIP 文件）", "Download (ZIP file)"),
    "my_data.readme": (
        (
            "这里是网上党支部保存的与您有关的全部数据，按保存它们的服务分成几个文件（{parts}）。"
            "文件是 JSON 格式，可以用任何文本编辑器打开。里面有个人信息，请妥善保管。"
        ),
        (
            "This is everything that the Online Party Branch keeps about you, in one file per service ({parts}). "
            "The files are JSON and open in any text editor. They hold personal data; keep them safe."
        ),
    ),
    "correction.title": ("更正我的信息", "Corrections"),
    "correction.intro": (
        "发现登记的信息有错，可以在这里申请更正，由组织部门核对后办理。",
        "If something recorded about you is wrong, ask here; the organisation department checks and corrects it.",
    ),
    "correction.new": ("申请更正", "Ask for a correction"),
    "correction.none": ("您还没有申请过更正。", "You have not asked for any correction."),
    "correction.field": ("项目", "What"),
    "correction.state": ("状态", "State"),
    "correction.asked": ("申请日期", "Asked on"),
    "correction.act": ("操作", "Action"),
    "correction.which": ("哪一项有错？", "What is wrong?"),
    "correction.choose": ("请选择", "Choose"),
    "correction.field_missing": ("请选择哪一项有错", "Choose what is wrong"),
    "correction.wanted": ("应改为", "Should be"),
    "correction.wanted_hint": ("请填写正确的内容。", "Enter how it should be."),
    "correction.wanted_missing": ("请填写正确的内容", "Enter how it should be"),
    "correction.reason": ("说明", "Explanation"),
    "correction.reason_hint": ("例如依据哪份证件或文件。", "For example by which certificate or document."),
    "correction.send": ("提交", "Send"),
    "correction.sent": ("更正申请已提交。", "Your request was sent."),
    "correction.sent_detail": ("办理后会发消息告诉您。", "You will get a notice once it is decided."),
    "correction.waiting": (
        "下面的项目正在办理，不用再提交。要改内容，请先撤回再重新申请。",
        "These wait for an answer and need not be sent again. To change one, withdraw it and ask anew.",
    ),
    "correction.waiting_one": ("{field}：应改为“{wanted}”", "{field}: should be “{wanted}”"),
    "correction.to_waiting": ("查看和撤回", "See and withdraw them"),
    "correction.withdraw": ("撤回", "Withdraw"),
    "correction.withdrawn": ("更正申请已撤回。", "The request was withdrawn."),
    "telephone.title": ("更换手机号", "Change the telephone"),
    "telephone.again_text": (
        "为了您的账号安全，请先重新登录一次，确认是您本人。登录验证码仍发到原来的手机。",
        "For the safety of your account, please log in once more first. The code still goes to your present telephone.",
    ),
    "telephone.again": ("重新登录", "Log in again"),
    "telephone.lost": (
        "原来的手机用不了？请带身份证到组织部门办理。",
        "Your present telephone is out of reach? Go to the organisation department with your identity card.",
    ),
    "telephone.new": ("新手机号", "New telephone"),
    "telephone.new_hint": (
        "11 位手机号。我们会发一个验证码到新手机。",
        "11 digits. We send a code to the new telephone.",
    ),
    "telephone.other": ("换一个号码", "Another number"),
    "telephone.code_title": ("输入新手机收到的验证码", "Enter the code that arrived"),
    "telephone.finish": ("确认更换", "Change it"),
    "telephone.changed": ("手机号已更换。", "Your telephone was changed."),
    "telephone.changed_detail": (
        "以后登录验证码发到尾号 {last} 的手机，原手机也会收到一条提醒。",
        "Codes now go to the telephone ending in {last}; the old one is told of it too.",
    ),
    "me.own": ("我的信息", "About me"),
    "me.record_text": ("身份、入党和转正日期、变更记录。", "Status, dates and history."),
    "me.data_text": ("查看、更正、下载个人信息。", "See, correct and download your personal data."),
    "me.corrections_text": ("信息有错时申请更正，查看办理情况。", "Ask for corrections and follow them."),
    "me.card_pdf": ("下载可打印的卡片（PDF，带防伪码）", "Download the card to print (PDF, with signed code)"),
}
