"""Texts for following a case without an account."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "case.title": ("查询办理进度", "Follow your case"),
    "case.intro": (
        "请输入提交申请时得到的受理号和查询码。",
        "Enter the case number and case code that you got when you applied.",
    ),
    "case.number": ("受理号", "Case number"),
    "case.number_hint": ("例如 370724-26-000123-7", "For example 370724-26-000123-7"),
    "case.number_bad": (
        "受理号只有数字和横线，请照回执输入",
        "A case number has digits and hyphens; enter it as on the receipt",
    ),
    "case.code": ("查询码", "Case code"),
    "case.code_hint": ("10 位字母和数字，不分大小写", "10 letters and digits, capital or small"),
    "case.code_bad": (
        "查询码是 10 位字母和数字，请照回执输入",
        "A case code has 10 letters and digits; enter it as on the receipt",
    ),
    "case.not_found": (
        "没有找到。请对照回执检查受理号和查询码；回执丢了请带身份证到所在党支部查询。",
        "Not found. Compare number and code with your receipt; if it is lost, ask at your branch with your identity card.",
    ),
    "case.look_up": ("查询", "Show my case"),
    "case.view_title": ("办理进度", "Your case"),
    "case.steps": ("办理过程", "Steps so far"),
    "case.close": ("结束查询", "Close this case"),
    "case.closed": ("已结束查询，本机不再保留查询码。", "Closed. This device no longer keeps the case code."),
    "case.help": ("有疑问请致电 {telephone}", "Questions? Call {telephone}"),
    "case.state.APPLICATION_STATE_SUBMITTED": ("等待审批", "Waiting for approval"),
    "case.text.APPLICATION_STATE_SUBMITTED": (
        "申请已收到，正在排队等待组织部门核对。您现在什么都不用做。",
        "We have your application; the organisation department will check it. There is nothing for you to do now.",
    ),
    "case.state.APPLICATION_STATE_QUESTIONED": ("需要您补充", "We need more from you"),
    "case.text.APPLICATION_STATE_QUESTIONED": (
        "经办人员有问题要问您。请在下面回答，回答后继续办理。",
        "The clerk has a question. Answer it below; then your case goes on.",
    ),
    "case.state.APPLICATION_STATE_APPROVED": ("已通过，正在制证", "Approved; your e-ID is being made"),
    "case.text.APPLICATION_STATE_APPROVED": (
        "申请已通过，电子身份证正在生成，通常不到一分钟。请稍后刷新本页。",
        "Approved. Your e-ID is being made, which usually takes less than a minute. Reload this page shortly.",
    ),
    "case.state.APPLICATION_STATE_ISSUED": ("已办好", "Your e-ID is ready"),
    "case.text.APPLICATION_STATE_ISSUED": (
        "您的电子身份证已办好。请记下电子身份证号，用激活码完成首次登录。",
        "Your e-ID is ready. Note its number, and log in for the first time with the activation code.",
    ),
    "case.state.APPLICATION_STATE_REFUSED": ("没有通过", "Not approved"),
    "case.text.APPLICATION_STATE_REFUSED": (
        "申请没有通过，原因见下。改正后可以重新申请；认为有误请打咨询电话。",
        "Your application was not approved; the reason is below. You may apply again, or call us if you think this is wrong.",
    ),
    "case.state.APPLICATION_STATE_WITHDRAWN": ("已撤回", "Withdrawn"),
    "case.text.APPLICATION_STATE_WITHDRAWN": (
        "您撤回了这份申请。需要时可以重新申请。",
        "You withdrew this application. You can apply again whenever you like.",
    ),
    "case.state.APPLICATION_STATE_UNSPECIFIED": ("办理中", "In progress"),
    "case.text.APPLICATION_STATE_UNSPECIFIED": ("正在办理，请稍后再查。", "Being worked on; look again later."),
    "case.question": ("经办人员的问题", "The clerk's question"),
    "case.answer": ("您的回答", "Your answer"),
    "case.answer_hint": ("最多 1000 字", "Up to 1000 characters"),
    "case.answer_missing": ("请写下您的回答", "Write your answer"),
    "case.correct": ("姓名或身份证号要更正吗？", "Does your name or resident number need correcting?"),
    "case.correct_name": ("正确的姓名", "Correct name"),
    "case.correct_number": ("正确的身份证号", "Correct resident number"),
    "case.send_answer": ("提交回答", "Send the answer"),
    "case.answered": ("回答已提交，申请重新进入审批。", "Your answer was sent; the case is back with the clerks."),
    "case.reason": ("原因", "Reason"),
    "case.note": ("说明", "Explanation"),
    "case.eid_number": ("电子身份证号", "e-ID number"),
    "case.activation_telephone": (
        "激活码已发到您验证过的手机，7 天内有效。",
        "The activation code was sent to your proven telephone; it is good for 7 days.",
    ),
    "case.activation_branch": (
        "激活码请到所在党支部或组织部门当面领取，请带身份证。",
        "Collect the activation code in person at your branch or the department; bring your identity card.",
    ),
    "case.first_login": ("怎样首次登录", "How to log in for the first time"),
    "case.apply_again": ("重新申请", "Apply again"),
    "case.withdraw": ("撤回申请", "Withdraw the application"),
    "case.withdraw_title": ("确定撤回申请吗？", "Withdraw the application?"),
    "case.withdraw_text": (
        "撤回后这份申请不再办理，以后可以重新申请。",
        "This application will not be worked on any more. You can apply again later.",
    ),
    "case.withdraw_yes": ("确定撤回", "Yes, withdraw it"),
    "case.withdraw_no": ("不撤回", "No, keep it"),
    "case.withdrawn": ("申请已撤回。", "The application was withdrawn."),
}
