"""What members are told of themselves. Data."""

from typing import Final

from zhibu_notify.texts.template import Kind, template

_EID: Final = (
    template(
        "eid_activated",
        Kind.EID,
        ("电子身份证已启用", "Your e-ID is in use"),
        (
            "您的电子身份证已经启用。可在“我的”页面查看证件，在“通知设置”中选择接收哪些通知。",
            "Your e-ID is in use. See the card on “My page”; choose which notices you want under “Notice settings”.",
        ),
        link="/me",
    ),
    template(
        "eid_revoked",
        Kind.EID,
        ("电子身份证已注销", "Your e-ID was revoked"),
        (
            "您的电子身份证已注销，不能再登录。如非本人申请，请立即联系县委组织部。",
            (
                "Your e-ID was revoked and can no longer be used. If you did not ask for it, contact the county's organisation "
                "department at once."
            ),
        ),
        sms="您的电子身份证已注销，不能再登录。如非本人申请，请立即联系县委组织部。",
        urgent=True,
    ),
    template(
        "telephone_changed",
        Kind.EID,
        ("手机号码已变更", "Your telephone was changed"),
        (
            "您登记的手机号码已变更，验证码今后发送到新号码。如非本人办理，请立即联系县委组织部。",
            (
                "The telephone in your record was changed; codes go to the new one. If it was not you, contact the county's "
                "organisation department at once."
            ),
        ),
        sms="您登记的手机号码已变更为本机。如非本人办理，请立即联系县委组织部。",
        sms_former="您登记的手机号码已换成别的号码，本机不再收到验证码。如非本人办理，请立即联系县委组织部。",
        link="/me",
        urgent=True,
    ),
    template(
        "recovery_started",
        Kind.EID,
        ("有人申请找回您的电子身份证", "Somebody asked to recover your e-ID"),
        (
            "工作人员正在办理找回您的电子身份证，须由第二位工作人员确认。如非本人申请，请立即联系县委组织部。",
            (
                "An officer has begun to recover your e-ID; a second officer must confirm it. If you did not ask for it, "
                "contact the county's organisation department at once."
            ),
        ),
        sms="有人申请找回您的电子身份证。如非本人申请，请立即联系县委组织部。",
        link="/me",
        urgent=True,
    ),
    template(
        "recovery_done",
        Kind.EID,
        ("电子身份证已找回", "Your e-ID was recovered"),
        (
            "您的电子身份证已重新开通，原密码作废。如非本人申请，请立即联系县委组织部。",
            (
                "Your e-ID was renewed and the old password is void. If you did not ask for it, contact the county's "
                "organisation department at once."
            ),
        ),
        sms="您的电子身份证已重新开通，原密码作废。如非本人申请，请立即联系县委组织部。",
        link="/me",
        urgent=True,
    ),
    template(
        "recovery_ended",
        Kind.EID,
        ("找回申请已终止", "The recovery was ended"),
        (
            "找回您的电子身份证的申请没有通过，证件保持原样。",
            "The recovery of your e-ID was not confirmed; everything stays as it was.",
        ),
        link="/me",
    ),
    template(
        "certificate_requested",
        Kind.EID,
        ("请确认密钥盘证书", "A key stick's certificate waits for you"),
        (
            "{organisation_id}为您申请了密钥盘证书，须由您本人登录确认。您手中没有这个密钥盘，或者没有申请过的，请拒绝，并立即告知安全员。",
            (
                "{organisation_id} asked for a certificate for your key stick; only you can confirm it. If you do not hold that "
                "key stick, or did not ask for it, refuse and tell the security officer at once."
            ),
        ),
        sms="有人为您申请密钥盘证书，须您登录确认。如非本人申请，请登录拒绝并告知安全员。",
        link="/me/certificates",
        urgent=True,
    ),
    template(
        "certificate_issued",
        Kind.EID,
        ("密钥盘证书已签发", "The certificate for your key stick was issued"),
        (
            "您确认的密钥盘证书已签发，可以用它登录。如非本人确认，请立即告知安全员。",
            (
                "The certificate that you confirmed was issued; your key stick logs you in. If it was not you, tell the "
                "security officer at once."
            ),
        ),
        sms="您的密钥盘证书已签发，可以用它登录。如非本人确认，请立即告知安全员。",
        link="/me/certificates",
        urgent=True,
    ),
    template(
        "certificate_revoked",
        Kind.EID,
        ("密钥盘证书已吊销", "The certificate of your key stick was revoked"),
        (
            "您的一张密钥盘证书已吊销，不能再用它登录；用密码和短信验证码登录不受影响。如有疑问，请告知安全员。",
            (
                "A certificate of your key stick was revoked and opens nothing any more; you can log in with password and code. "
                "If you did not expect this, tell the security officer."
            ),
        ),
        sms="您的一张密钥盘证书已吊销，不能再用它登录。如有疑问，请告知安全员。",
        link="/me/certificates",
        urgent=True,
    ),
)

_MEMBERSHIP: Final = (
    template(
        "membership_began",
        Kind.MEMBERSHIP,
        ("已编入{branch_id}", "You belong to {branch_id}"),
        ("您的组织关系已编入{branch_id}。", "Your membership is now with {branch_id}."),
        sms="您的组织关系已编入{branch_id}。",
        link="/branch",
    ),
    template(
        "membership_ended",
        Kind.MEMBERSHIP,
        ("已不在{branch_id}", "You no longer belong to {branch_id}"),
        (
            "您不再是{branch_id}的成员，实体支部的组织关系不受影响。",
            "You are no longer a member of {branch_id}. Your physical branch is not affected.",
        ),
        sms="您不再是{branch_id}的成员，实体支部的组织关系不受影响。",
        link="/branch",
    ),
    template(
        "request_admitted",
        Kind.MEMBERSHIP,
        ("{branch_id}已接收您", "{branch_id} took you in"),
        ("您加入{branch_id}的申请已通过。", "Your request to join {branch_id} was granted."),
        sms="您加入{branch_id}的申请已通过。",
        link="/branch",
    ),
    template(
        "request_refused",
        Kind.MEMBERSHIP,
        ("加入申请未通过", "Your request to join was refused"),
        (
            "您加入{branch_id}的申请未通过，理由见“我的支部”。",
            "Your request to join {branch_id} was refused; the reason stands under “My branches”.",
        ),
        sms="您加入{branch_id}的申请未通过，详情请登录查看。",
        link="/branch",
    ),
    template(
        "request_lapsed",
        Kind.MEMBERSHIP,
        ("加入申请已失效", "Your request to join has lapsed"),
        (
            "您加入{branch_id}的申请未在期限内办理，已失效，可以重新申请。",
            "Nobody decided your request to join {branch_id} in time; you can ask again.",
        ),
        link="/branch",
    ),
)

_RECORD: Final = (
    template(
        "record_changed",
        Kind.RECORD,
        ("党员信息有更新", "Your record was changed"),
        (
            "{branch_id}登记了关于您的一项决定（党员身份、职业类别等）。如有疑问，可申请更正。",
            "{branch_id} recorded a decision about you (status, occupation or the like). You can ask for a correction.",
        ),
        sms="您的党员信息有更新，请登录查看。",
        link="/me",
    ),
    template(
        "correction_done",
        Kind.RECORD,
        ("更正已完成", "Your correction was made"),
        ("您申请更正的信息已更正。", "What you asked to be corrected was corrected."),
        sms="您申请更正的信息已更正。",
        link="/me",
    ),
    template(
        "correction_refused",
        Kind.RECORD,
        ("更正未予办理", "Your correction was refused"),
        (
            "您申请的更正未予办理，答复见“我的”页面。",
            "Your wish for a correction was refused; the answer stands on “My page”.",
        ),
        sms="您申请的更正未予办理，答复请登录查看。",
        link="/me",
    ),
)

MEMBERS: Final = (*_EID, *_MEMBERSHIP, *_RECORD)
