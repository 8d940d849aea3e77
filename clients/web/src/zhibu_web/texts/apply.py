"""Texts of the application for an e-ID."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "apply.title": ("申请电子身份证", "Apply for an e-ID"),
    "apply.intro": (
        "电子身份证是您登录网上党支部的凭证，由县（市、区）党委组织部审批发放。",
        "An e-ID is what you log in with. The organisation department of your county approves and issues it.",
    ),
    "apply.need_title": ("开始前请准备", "Before you start, have at hand"),
    "apply.need_card": ("本人居民身份证（年满 18 周岁）", "your resident identity card (you must be 18 or older)"),
    "apply.need_telephone": ("本人使用的手机，能收短信", "your own mobile telephone, able to receive SMS"),
    "apply.need_branch": ("所在党支部的名称（不知道也可以申请）", "the name of your branch (you can apply without it)"),
    "apply.need_time": (
        "约 5 分钟。填到一半可以离开，2 小时内回来接着填。",
        "About 5 minutes. You can leave half-way and come back within 2 hours.",
    ),
    "apply.start": ("开始申请", "Start"),
    "apply.resume_title": ("您有一份没填完的申请", "You have an unfinished application"),
    "apply.resume": ("接着填", "Go on"),
    "apply.restart": ("清空重填", "Clear it and start again"),
    "apply.restarted": ("已清空，可以重新填写。", "Cleared. You can start again."),
    "apply.place_title": ("隐私告知和所在组织", "Privacy notice and your organisation"),
    "apply.consent_title": ("我们怎样使用您的信息", "How we use your data"),
    "apply.consent_what": (
        "我们收集您的姓名、居民身份证号和手机号，只用于核实身份和发放电子身份证。",
        "We collect your name, resident number and telephone, only to check who you are and to issue the e-ID.",
    ),
    "apply.consent_who": (
        "只有您所在县（市、区）的经办人员能看到，每次查看都有记录。信息加密保存，不向他人提供。",
        "Only the clerks of your county can see them, and each look is recorded. They are kept encrypted and given to nobody.",
    ),
    "apply.consent_rights": (
        "审批前您可以随时撤回申请，也可以要求查看、更正或删除自己的信息。",
        "You may withdraw before the decision, and ask to see, correct or erase your data.",
    ),
    "apply.consent_more": ("阅读隐私告知全文", "Read the whole privacy notice"),
    "apply.consent": ("我已阅读并同意隐私告知", "I have read the privacy notice and agree"),
    "apply.consent_missing": (
        "请阅读隐私告知并打勾；不同意就不能在网上申请，可到所在党支部书面办理。",
        "Please read the privacy notice and tick the box. Without it you cannot apply online, but you can on paper at your branch.",
    ),
    "apply.where": ("您的党组织关系在哪里", "Where is your Party membership held"),
    "apply.where_hint": (
        "先选市，再选县（市、区）。乡镇和党支部不知道可以不选。",
        "Choose the city, then the county. Leave township and branch open if you do not know them.",
    ),
    "apply.city": ("市", "City"),
    "apply.county": ("县（市、区）", "County or district"),
    "apply.township": ("乡镇、街道或系统党委", "Township, sub-district or sector committee"),
    "apply.branch": ("党支部", "Branch"),
    "apply.choose": ("请选择", "Please choose"),
    "apply.do_not_know": ("不知道，不选", "I do not know"),
    "apply.show_next": ("显示下一级", "Show the next level"),
    "apply.choose_next": ("可以继续选择：{level}", "You can now choose: {level}"),
    "apply.city_missing": ("请选择所在的市", "Choose your city"),
    "apply.county_missing": ("请选择所在的县（市、区）", "Choose your county or district"),
    "apply.county_closed": (
        "{county}还没有开放网上申请。请致电 {telephone} 或到所在党支部办理。",
        "{county} does not take applications online yet. Call {telephone} or ask at your branch.",
    ),
    "apply.telephone_title": ("验证手机号", "Prove your telephone"),
    "apply.telephone": ("手机号", "Mobile telephone"),
    "apply.telephone_hint": (
        "11 位数字。我们会发一条短信验证码，不收费。",
        "11 digits. We send you a code by SMS, free of charge.",
    ),
    "apply.telephone_bad": (
        "手机号应为 1 开头的 11 位数字，请检查有没有多输或漏输",
        "A mobile number has 11 digits and begins with 1; check that none is missing",
    ),
    "apply.telephone_refused": (
        "暂时不能向这个号码发送验证码，请稍后再试",
        "No code can be sent to this number now; try later",
    ),
    "apply.telephone_proven": ("手机号 {telephone} 已验证。", "The telephone {telephone} is proven."),
    "apply.telephone_other": ("换一个手机号", "Use another telephone"),
    "apply.send_code": ("发送验证码", "Send the code"),
    "apply.code_title": ("输入短信验证码", "Enter the code from the SMS"),
    "apply.code_sent": (
        "验证码已发到 {telephone}，10 分钟内有效。",
        "A code was sent to {telephone}. It is good for 10 minutes.",
    ),
    "apply.code": ("验证码", "Code"),
    "apply.code_hint": ("短信里的 6 位数字", "The 6 digits in the SMS"),
    "apply.code_bad": ("验证码是 6 位数字，请照短信输入", "The code has 6 digits; enter it as in the SMS"),
    "apply.code_none": ("没收到短信？", "No SMS?"),
    "apply.code_none_text": (
        "请等一分钟，看看手机号有没有写错、短信有没有被拦截。",
        "Wait a minute, check the number above and whether the SMS was filtered as spam.",
    ),
    "apply.resend": ("重新发送验证码", "Send another code"),
    "apply.resend_wait": ("{count} 秒后可以重新发送", "You can ask for another in {count} seconds"),
    "apply.resent": ("新的验证码已发出。", "Another code was sent."),
    "apply.details_title": ("姓名和身份证号", "Name and resident number"),
    "apply.real_name": ("姓名", "Name"),
    "apply.real_name_hint": (
        "与身份证上完全一致。生僻字、名字中的间隔点“·”都可以输入。",
        "Exactly as on your identity card. Rare characters and the middle dot “·” are welcome.",
    ),
    "apply.real_name_bad": ("请输入姓名，2 至 60 个字", "Enter your name, 2 to 60 characters"),
    "apply.resident_number": ("居民身份证号", "Resident number"),
    "apply.resident_number_hint": ("18 位，最后一位可能是 X", "18 characters; the last may be an X"),
    "apply.resident_number_bad": (
        "身份证号应为 18 位：前 17 位是数字，最后一位是数字或 X",
        "A resident number has 17 digits and then a digit or X",
    ),
    "apply.resident_number_wrong": (
        "身份证号有一位输错了，请对照身份证逐位检查",
        "One digit of the resident number is wrong; compare it with your card",
    ),
    "apply.claim": ("您的身份", "You are"),
    "apply.claim_missing": ("请选择您的身份", "Choose what you are"),
    "apply.check_title": ("核对并提交", "Check and submit"),
    "apply.check_intro": ("请逐项核对。有错请点“修改”。", "Check each line. Use “Change” where something is wrong."),
    "apply.place": ("所在组织", "Organisation"),
    "apply.declare": (
        "提交即表示以上信息真实。提交后由{county}党委组织部审批。",
        "By submitting you state that this is true. The organisation department of {county} will decide.",
    ),
    "apply.submit": ("提交申请", "Submit"),
    "apply.submit_refused": (
        "申请没有提交成功，请按提示改正后再试",
        "Not submitted; put right what is named and try again",
    ),
    "apply.proof_expired": (
        "手机号验证已超过 1 小时，请再验证一次，其他内容都还在。",
        "Your telephone was proven more than an hour ago. Prove it once more; everything else is still here.",
    ),
    "apply.receipt_title": ("申请已提交", "Your application is submitted"),
    "apply.receipt_warning": (
        "请马上抄下或打印受理号和查询码。查询码只显示这一次，丢了只能到窗口查询。",
        "Write down or print both now. The case code is shown only this once; without it you must ask in person.",
    ),
    "apply.receipt_label": ("受理回执", "Receipt"),
    "apply.case_number": ("受理号", "Case number"),
    "apply.case_code": ("查询码", "Case code"),
    "apply.receipt_next": ("接下来", "What happens next"),
    "apply.receipt_next_1": (
        "县（市、区）党委组织部核对您的信息，一般需要几个工作日。",
        "The organisation department of the county checks your details, usually within a few working days.",
    ),
    "apply.receipt_next_2": (
        "用受理号和查询码随时查询进度；如果要补充信息，也在那里回答。",
        "Follow the case with number and code at any time; if more is asked of you, you answer there.",
    ),
    "apply.receipt_next_3": (
        "通过后您会得到电子身份证号和激活码，就可以登录了。",
        "Once approved, you get an e-ID number and an activation code, and can log in.",
    ),
    "apply.receipt_follow": ("我已抄好，查看进度", "I have noted them; show my case"),
    "apply.receipt_done": ("我已抄好，结束", "I have noted them; finish"),
    "apply.receipt_closed": (
        "好的。本机不再保留您的查询码，请收好抄下的内容。",
        "Fine. This device no longer keeps your case code; keep your note safe.",
    ),
}
