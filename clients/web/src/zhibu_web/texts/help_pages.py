"""Texts of the help page and the privacy notice."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "help.title": ("帮助与无障碍", "Help and accessibility"),
    "help.call_title": ("打电话", "Call us"),
    "help.call_text": (
        "咨询电话 {telephone}。也可以到所在党支部或县（市、区）党委组织部当面办理。",
        "Help line {telephone}. You can also be helped in person at your branch or the county's organisation department.",
    ),
    "help.read_title": ("看不清、听不见、手不便", "If you see, hear or move with difficulty"),
    "help.read_large": (
        "点页面上方的“大字版”，全部文字放大；再点一次恢复。您的选择会保留一年。",
        "“Large type” at the top makes all text larger; press it again to go back. Your choice is kept for a year.",
    ),
    "help.read_keyboard": (
        "所有操作都可以只用键盘完成：Tab 键移动，回车键确认。",
        "Everything works with the keyboard alone: Tab to move, Enter to confirm.",
    ),
    "help.read_screen": (
        "页面适合读屏软件。网站按 WCAG 2.2 AA 标准制作和检查。",
        "The pages work with screen readers; they are made and checked against WCAG 2.2 AA.",
    ),
    "help.read_problem": (
        "遇到用不了的地方，请打咨询电话告诉我们。",
        "If something does not work for you, please call and tell us.",
    ),
    "help.questions_title": ("常见问题", "Common questions"),
    "help.q_lost_code": ("查询码丢了怎么办？", "I lost my case code."),
    "help.a_lost_code": (
        "查询码不能找回。请带身份证到所在党支部或组织部门查询。",
        "It cannot be had again. Ask at your branch or the department with your identity card.",
    ),
    "help.q_password": ("忘了密码怎么办？", "I forgot my password."),
    "help.a_password": (
        "请带身份证到所在党支部，领取新的激活码，重新设置密码。",
        "Get a new activation code at your branch with your identity card, and set a new password.",
    ),
    "help.q_sms": ("收不到短信怎么办？", "No SMS arrives."),
    "help.a_sms": (
        "请等一分钟后重新发送；检查手机信号和短信拦截。每小时最多 5 条。",
        "Wait a minute and ask again; check reception and spam filters. There are at most 5 an hour.",
    ),
    "help.q_lost_phone": ("手机丢了怎么办？", "I lost my telephone."),
    "help.a_lost_phone": (
        "请马上打咨询电话，我们会停用电子身份证，以免他人冒用。",
        "Call us at once; we stop the e-ID so that nobody else can use it.",
    ),
    "help.q_passkey": ("什么是通行密钥？", "What is a passkey?"),
    "help.a_passkey": (
        "存在您手机或电脑里的登录凭证，用指纹、面容或锁屏密码打开，不用记密码、不用等短信。没有也能登录。",
        (
            "A key kept in your telephone or computer and opened by fingerprint, face or screen lock: no password, no SMS. "
            "You can log in without one."
        ),
    ),
    "help.clerks_title": ("经办人员：键盘快捷键", "For clerks: keyboard shortcuts"),
    "help.first_admin": ("运维人员：开通第一位管理员", "For operators: the first administrator"),
    "privacy.title": ("隐私告知", "Privacy notice"),
    "privacy.version": ("版本 {version}", "Version {version}"),
    "privacy.who_title": ("谁负责", "Who is responsible"),
    "privacy.who": (
        "您的信息由受理申请的县（市、区）党委组织部负责，由省级平台保管。",
        "The organisation department of the county that takes your application is responsible; the province's platform keeps the data.",
    ),
    "privacy.what_title": ("收集什么", "What is collected"),
    "privacy.what_1": (
        "姓名、居民身份证号：核实是否本人、是否党员。",
        "Name and resident number: to check that it is you, and your membership.",
    ),
    "privacy.what_2": ("手机号：发送验证码和办理通知。", "Telephone: to send codes and notices."),
    "privacy.what_3": (
        "您说明的身份和党支部：由经办人员与党员档案核对。",
        "What you say of your membership and branch: compared with the records.",
    ),
    "privacy.what_not": (
        "不收集位置、通讯录、照片，不统计您说了什么、想什么。",
        "No location, no contacts, no photographs; no record of what you say or think.",
    ),
    "privacy.how_title": ("怎样保管", "How it is kept"),
    "privacy.how_1": (
        "每个人的信息用单独的密钥加密。只有本县有职责的经办人员能看到，每次查看都留下记录。",
        "Each person's data are encrypted with a key of their own. Only clerks of your county in charge see them; each look is recorded.",
    ),
    "privacy.how_2": (
        "网页只使用必要的 Cookie：登录、填表和您选的语言、字号。没有广告，没有第三方统计。",
        "The pages use only the cookies they need: log-in, forms, your choice of language and type. No advertising, no third parties.",
    ),
    "privacy.long_title": ("保管多久", "How long"),
    "privacy.long_1": (
        "没填完的申请保留 2 小时。撤回或未通过的申请按档案规定的期限保管后删除。",
        "Unfinished applications: 2 hours. Withdrawn or refused ones: as long as the rules on records say, then erased.",
    ),
    "privacy.long_2": (
        "注销电子身份证后，信息按规定删除，备份在 30 天内清除。",
        "After an e-ID is revoked the data are erased as the rules say, and from backups within 30 days.",
    ),
    "privacy.rights_title": ("您的权利", "Your rights"),
    "privacy.rights": (
        "您可以查看、更正、删除自己的信息，可以撤回同意，也可以投诉。请致电 {telephone} 或到组织部门办理。",
        "You may see, correct and erase your data, take back your consent, and complain. Call {telephone} or come to the department.",
    ),
}
