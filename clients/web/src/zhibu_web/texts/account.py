"""Texts of log-in, log-out, the first log-in and the member's own page."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "first.title": ("首次登录说明", "Guide to the first log-in"),
    "first.intro": (
        "第一次登录要激活电子身份证，大约 3 分钟。请准备好电子身份证号、激活码和手机。",
        "The first log-in activates your e-ID and takes about 3 minutes. Have e-ID number, activation code and telephone ready.",
    ),
    "first.step1": ("点“去登录”", "Press “Go to the log-in”"),
    "first.step1_text": (
        "在“电子身份证号”里输入号码，在“密码”里输入激活码。",
        "Enter your e-ID number, and the activation code as the password.",
    ),
    "first.step2": ("输入短信验证码", "Enter the code from the SMS"),
    "first.step2_text": (
        "点“发送验证码”，把手机收到的 6 位数字填进去。",
        "Press “Send the code” and enter the 6 digits that arrive on your telephone.",
    ),
    "first.step3": ("设置自己的密码", "Set a password of your own"),
    "first.step3_text": (
        "至少 8 位，自己记得住、别人猜不到。激活码随即作废。",
        "At least 8 characters that you remember and nobody guesses. The activation code is then void.",
    ),
    "first.step4": ("可选：添加通行密钥", "If you like: add a passkey"),
    "first.step4_text": (
        "登录后在“我的”页面可以添加通行密钥，以后用指纹、面容或锁屏密码登录，不用等短信。手机不支持也没关系。",
        (
            "On “My page” you can add a passkey, and then log in by fingerprint, face or screen lock without an SMS. "
            "If your device has none, that is fine."
        ),
    ),
    "first.login": ("去登录", "Go to the log-in"),
    "first.trouble": ("遇到问题", "If something goes wrong"),
    "first.trouble_code": (
        "激活码过期（超过 7 天）或丢失：请带身份证到所在党支部重新领取，旧的自动作废。",
        "Activation code lost or older than 7 days: get another at your branch with your identity card. The old one becomes void.",
    ),
    "first.trouble_telephone": (
        "换了手机号：请带身份证到组织部门变更。",
        "New telephone number: have it changed at the organisation department with your identity card.",
    ),
    "first.trouble_warning": (
        "工作人员不会打电话问您要密码、激活码或验证码。谁问都不要说。",
        "We never call to ask for your password or codes. Do not tell anybody.",
    ),
    "me.certificate_waits": (
        "有人为您申请了密钥盘证书，等您确认或拒绝。",
        "Somebody asked for a certificate for your key stick; confirm or refuse it.",
    ),
    "me.certificate_look": ("去看看", "Look at it"),
    "my_certificate.title": ("密钥盘证书", "Certificates of my key stick"),
    "my_certificate.intro": (
        "用密钥盘登录需要证书。组织提出申请，只有您本人能够确认；没有您的确认，谁也不能用密钥盘以您的名义登录。",
        "A key stick logs you in by its certificate. An organisation asks for it, and only you can confirm it.",
    ),
    "my_certificate.none": ("还没有人为您申请过证书。", "No certificate has been asked for you."),
    "my_certificate.organisation": ("申请组织", "Asked for at"),
    "my_certificate.somebody": ("工作人员", "An officer"),
    "my_certificate.until": ("确认期限", "Confirm by"),
    "my_certificate.confirm_title": ("确认密钥盘证书", "Confirm the certificate of your key stick"),
    "my_certificate.warning": (
        "只有密钥盘在您自己手中，而且是您要求办理的，才可以确认。密钥盘在谁手中，谁就能以您的名义登录。",
        (
            "Confirm only when you hold this key stick yourself and asked for it. Whoever has the key stick can log in "
            "as you from then on."
        ),
    ),
    "my_certificate.compare": (
        "把密钥盘插在电脑上，打开它的管理程序，逐组核对密钥指纹。有一组不一样就不要确认。",
        "Plug the key stick in, open its program, and compare the fingerprint of the key group by group. If one differs, refuse.",
    ),
    "my_certificate.holds": (
        "密钥盘在我手中，指纹一致，是我要求办理的",
        "I hold the key stick, the fingerprint is the same, and I asked for it",
    ),
    "my_certificate.holds_missing": (
        "请先核对并勾选；不是您要求办理的，请拒绝",
        "Compare and tick this first; if you did not ask for it, refuse",
    ),
    "my_certificate.confirm": ("确认签发", "Confirm"),
    "my_certificate.again_text": (
        "为了安全，确认之前请再用密码和短信验证码登录一次。",
        "For your safety, log in once more with password and code before you confirm.",
    ),
    "my_certificate.again": ("重新登录", "Log in again"),
    "my_certificate.confirmed": ("已确认，证书已签发。", "Confirmed; the certificate was signed."),
    "my_certificate.not_mine": ("不是您要求办理的？", "You did not ask for this?"),
    "my_certificate.not_mine_text": (
        "请拒绝，并立即告知安全员：可能有人想冒用您的名义登录。拒绝后这个密钥不能再申请。",
        "Refuse, and tell the security officer at once: somebody may want to log in as you. The key is of no use after that.",
    ),
    "my_certificate.refuse": ("拒绝", "Refuse"),
    "my_certificate.refused": ("已拒绝，没有签发证书。", "Refused; nothing was signed."),
    "my_certificate.refused_detail": (
        "如果不是您要求办理的，请立即告知安全员。",
        "If you did not ask for it, tell the security officer at once.",
    ),
    "my_certificate.stranger": (
        "有您不认识的证书，请立即告知安全员。",
        "Is there one that you do not know? Have the security officer see to it at once.",
    ),
    "my_certificate.revoke_title": ("密钥盘丢了，或者不放心？", "Is the key stick lost, or do you doubt it?"),
    "my_certificate.revoke_text": (
        "请立即吊销。吊销后这个密钥盘不能再登录，不能恢复；您会退出登录，一分钟后可以用密码和短信验证码登录。电子身份证不受影响。",
        (
            "Revoke the certificate at once. The key stick opens nothing any more, and this cannot be undone; you are logged "
            "out, and can log in with password and code by SMS in a minute. The e-ID stays."
        ),
    ),
    "my_certificate.revoke_reason": ("为什么吊销", "Why do you revoke it?"),
    "my_certificate.revoke": ("吊销", "Revoke"),
    "my_certificate.revoked": (
        "证书已吊销，密钥盘不能再登录。",
        "The certificate was revoked; the key stick opens nothing any more.",
    ),
    "my_certificate.revoked_detail": (
        "一分钟后可以用密码和短信验证码登录。怀疑有人冒用的，请立即告知安全员。",
        "Log in with password and code by SMS in a minute. If somebody may have used it, tell the security officer at once.",
    ),
    "me.title": ("我的", "My page"),
    "me.hello": ("{name}，您好", "Hello, {name}"),
    "me.eid": ("电子身份证", "Your e-ID"),
    "me.name": ("姓名", "Name"),
    "me.number": ("电子身份证号", "e-ID number"),
    "me.state": ("状态", "State"),
    "me.branch": ("党支部", "Branch"),
    "me.no_branch": ("还没有确定党支部，请与组织部门联系。", "No branch yet; ask the organisation department."),
    "me.county": ("发证机关", "Issued by"),
    "me.issued": ("发证日期", "Issued on"),
    "me.telephone": ("手机号", "Telephone"),
    "me.telephone_value": ("尾号 {last}", "ending in {last}"),
    "me.offices": ("职务", "Offices"),
    "me.no_offices": ("没有担任职务。", "You hold no office."),
    "me.until": ("至 {day}", "until {day}"),
    "me.to_desk": ("去工作台", "To the desk"),
    "me.card_alt": (
        "电子身份证卡片：{name}，号码 {number}，{county}发放",
        "e-ID card: {name}, number {number}, issued by {county}",
    ),
    "me.card_download": ("下载卡片（PNG 图片）", "Download the card (PNG picture)"),
    "me.security": ("登录方式", "How you log in"),
    "me.security_text": (
        "您用密码和短信验证码登录。还可以添加通行密钥，以后用指纹、面容或锁屏密码登录。",
        "You log in with a password and a code by SMS. You can also add a passkey and use fingerprint, face or screen lock.",
    ),
    "me.passkey": ("添加通行密钥", "Add a passkey"),
    "me.password": ("修改密码", "Change the password"),
    "me.done.webauthn-register-passwordless": (
        "通行密钥已添加，下次登录可以直接使用。",
        "The passkey was added; you can use it at your next log-in.",
    ),
    "me.done.UPDATE_PASSWORD": ("密码已修改。", "The password was changed."),
    "me.not_done": ("没有改动。需要时可以再来。", "Nothing was changed. You can come back at any time."),
    "auth.ended_title": ("您已退出登录", "You have been logged out"),
    "auth.ended.expired": (
        "登录时间已到，为了安全已自动退出。请重新登录。",
        "Your log-in has expired and was ended for safety. Please log in again.",
    ),
    "auth.ended.logged_out": (
        "您的登录已在别处结束：可能是您在另一处退出，或由管理员结束。可以重新登录。",
        "Your log-in was ended elsewhere: perhaps you logged out on another page, or an officer ended it. You can log in again.",
    ),
    "auth.ended.refused": (
        "系统不再接受这次登录。您的电子身份证可能已注销或被暂停。如有疑问，请致电 {telephone}。",
        "This log-in is no longer accepted. Your e-ID may have been revoked. If you have questions, call {telephone}.",
    ),
    "auth.logged_out_title": ("已退出登录", "Logged out"),
    "auth.logged_out_text": (
        "如果这是别人的或公用的设备，请同时关闭浏览器。",
        "If this is somebody else's or a shared device, close the browser too.",
    ),
    "auth.failed_title": ("登录没有完成", "The log-in was not completed"),
    "auth.failed_text": (
        "可能是停留太久，或打开了旧的登录页面。没有改动任何内容，请重新登录。",
        "Perhaps it took too long, or an old log-in page was opened. Nothing was changed; please log in again.",
    ),
    "auth.unreachable_title": ("暂时不能登录", "You cannot log in right now"),
    "auth.unreachable_text": (
        "登录服务暂时联系不上，请过几分钟再试。不需要登录的页面可以照常使用。",
        "The log-in service cannot be reached. Try again in a few minutes; pages without log-in work as usual.",
    ),
    "auth.again": ("重新登录", "Log in again"),
    "auth.home": ("回到首页", "To the home page"),
    "auth.needed_title": ("请先登录", "Please log in"),
    "auth.needed_text": (
        "这个操作需要登录。您的登录可能已过期，登录后请重新操作。",
        "This needs a log-in; yours may have expired. Log in and then repeat what you did.",
    ),
}
