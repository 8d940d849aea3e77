"""What identity refuses, and how it says so."""

from __future__ import annotations

from typing import Final

from grpc import StatusCode
from zhibu_kit.errors import ErrorKind, declare_noun

declare_noun("application", zh="申请", en="application")
declare_noun("case", zh="申请", en="case")
declare_noun("eid", zh="电子身份证", en="e-ID")
declare_noun("grant", zh="任职授权", en="grant")
declare_noun("certificate", zh="证书", en="certificate")
declare_noun("approval_batch", zh="批量审批", en="approval batch")
declare_noun("roster", zh="花名册", en="roster")
declare_noun("eid_batch", zh="批量发放", en="e-ID batch")

# Fields of an application

REAL_NAME_CHARACTER: Final = ErrorKind(
    reason="REAL_NAME_CHARACTER",
    code=StatusCode.INVALID_ARGUMENT,
    zh="姓名请按居民身份证填写汉字，少数民族姓名中间用“·”隔开。",
    en="Write the name in Chinese characters as on the resident identity card, with · between its parts.",
)
REAL_NAME_PRIVATE_CHARACTER: Final = ErrorKind(
    reason="REAL_NAME_PRIVATE_CHARACTER",
    code=StatusCode.INVALID_ARGUMENT,
    zh="姓名中有自造字，别的系统无法显示。请用输入法重新输入这个字，或者请工作人员协助。",
    en="The name holds a character of a private set. Type it with an input method, or ask the staff for help.",
)
REAL_NAME_LENGTH: Final = ErrorKind(
    reason="REAL_NAME_LENGTH",
    code=StatusCode.INVALID_ARGUMENT,
    zh="姓名应为 2 至 60 个字。",
    en="A name has 2 to 60 characters.",
)
REAL_NAME_DOT: Final = ErrorKind(
    reason="REAL_NAME_DOT",
    code=StatusCode.INVALID_ARGUMENT,
    zh="“·”只能写在姓名的两部分之间。",
    en="The · stands only between two parts of a name.",
)
RESIDENT_NUMBER_SHAPE: Final = ErrorKind(
    reason="RESIDENT_NUMBER_SHAPE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="公民身份号码应为 18 位，最后一位可以是 X。",
    en="A resident number has 18 characters; the last may be X.",
)
RESIDENT_NUMBER_CHECK_CHARACTER: Final = ErrorKind(
    reason="RESIDENT_NUMBER_CHECK_CHARACTER",
    code=StatusCode.INVALID_ARGUMENT,
    zh="公民身份号码有误，请逐位核对。",
    en="There is a slip in the resident number; compare it digit by digit.",
)
RESIDENT_NUMBER_BIRTH_DATE: Final = ErrorKind(
    reason="RESIDENT_NUMBER_BIRTH_DATE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="公民身份号码中的出生日期不正确。",
    en="The date of birth in the resident number is not right.",
)
RESIDENT_NUMBER_AREA: Final = ErrorKind(
    reason="RESIDENT_NUMBER_AREA",
    code=StatusCode.INVALID_ARGUMENT,
    zh="公民身份号码开头的地区代码不存在。",
    en="The resident number begins with an area code that does not exist.",
)
SYNTHETIC_RESIDENT_NUMBER: Final = ErrorKind(
    reason="SYNTHETIC_RESIDENT_NUMBER",
    code=StatusCode.INVALID_ARGUMENT,
    zh="这是演示用的号码，正式系统不受理。",
    en="This is a number for demonstrations; it is not accepted here.",
)
SYNTHETIC_TELEPHONE: Final = ErrorKind(
    reason="SYNTHETIC_TELEPHONE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="这是演示用的手机号码，正式系统不受理。",
    en="This is a telephone number for demonstrations; it is not accepted here.",
)
UNDER_AGE: Final = ErrorKind(
    reason="UNDER_AGE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="年满 18 周岁方可申请。",
    en="Applicants must be at least 18 years old.",
)
TELEPHONE_PREFIX: Final = ErrorKind(
    reason="TELEPHONE_PREFIX",
    code=StatusCode.INVALID_ARGUMENT,
    zh="这不是手机号码。",
    en="This is not a mobile telephone number.",
)
ORGANISATION_UNKNOWN: Final = ErrorKind(
    reason="ORGANISATION_UNKNOWN",
    code=StatusCode.INVALID_ARGUMENT,
    zh="没有这个县（市、区）。",
    en="There is no such county.",
)
BRANCH_UNKNOWN: Final = ErrorKind(
    reason="BRANCH_UNKNOWN",
    code=StatusCode.INVALID_ARGUMENT,
    zh="这个县（市、区）没有这个党支部。",
    en="There is no such branch in this county.",
)

# Filing and following

COUNTY_CLOSED: Final = ErrorKind(
    reason="COUNTY_CLOSED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个县（市、区）暂不受理网上申请，请联系当地组织部门。",
    en="This county does not take applications at the moment; please turn to its organisation department.",
)
RESEND_TOO_SOON: Final = ErrorKind(
    reason="RESEND_TOO_SOON",
    code=StatusCode.RESOURCE_EXHAUSTED,
    zh="验证码发送过于频繁，请在 {retry_after_s} 秒后再试。",
    en="Codes were asked for too often; please try again in {retry_after_s} seconds.",
)
TELEPHONE_CODE_WRONG: Final = ErrorKind(
    reason="TELEPHONE_CODE_WRONG",
    code=StatusCode.FAILED_PRECONDITION,
    zh="验证码不正确或者已经失效，请核对后重新输入，或者重新获取。",
    en="The code is wrong or no longer good; enter it again or ask for a new one.",
)
TELEPHONE_PROOF_INVALID: Final = ErrorKind(
    reason="TELEPHONE_PROOF_INVALID",
    code=StatusCode.FAILED_PRECONDITION,
    zh="手机验证已经失效，请重新验证手机号码。",
    en="The telephone's proof is no longer good; please prove the telephone again.",
)
CODE_NOT_SENT: Final = ErrorKind(
    reason="CODE_NOT_SENT",
    code=StatusCode.UNAVAILABLE,
    zh="短信暂时无法发送，请稍后再试。",
    en="The message could not be sent at the moment; please try again shortly.",
)
CASE_KEY_WRONG: Final = ErrorKind(
    reason="CASE_KEY_WRONG",
    code=StatusCode.NOT_FOUND,
    zh="受理号或查询码不正确，请核对。",
    en="Case number or code is wrong; please compare them with what you noted.",
)
CASE_CLOSED_TO_TRIES: Final = ErrorKind(
    reason="CASE_CLOSED_TO_TRIES",
    code=StatusCode.RESOURCE_EXHAUSTED,
    zh="输错次数过多，请在 {retry_after_s} 秒后再试。",
    en="Too many wrong tries; please try again in {retry_after_s} seconds.",
)

# Deciding

APPLICATION_ALREADY_DECIDED: Final = ErrorKind(
    reason="APPLICATION_ALREADY_DECIDED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这份申请已经办结。",
    en="This application has been decided already.",
)
APPLICATION_NOT_APPROVED: Final = ErrorKind(
    reason="APPLICATION_NOT_APPROVED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这份申请没有通过，无法撤销。",
    en="This application is not approved, so there is nothing to take back.",
)
NO_QUESTION_OPEN: Final = ErrorKind(
    reason="NO_QUESTION_OPEN",
    code=StatusCode.FAILED_PRECONDITION,
    zh="目前没有需要补充的内容。",
    en="Nothing has been asked for.",
)
UNDO_TOO_LATE: Final = ErrorKind(
    reason="UNDO_TOO_LATE",
    code=StatusCode.FAILED_PRECONDITION,
    zh="通过已超过 24 小时，不能撤销；如有错误请注销电子身份证。",
    en="It is more than 24 hours since the approval; revoke the e-ID instead.",
)
CLAIMED_BY_ANOTHER: Final = ErrorKind(
    reason="CLAIMED_BY_ANOTHER",
    code=StatusCode.FAILED_PRECONDITION,
    zh="另一位工作人员正在办理这份申请。",
    en="Another clerk is working on this application.",
)
FINDINGS_NOT_CHECKED: Final = ErrorKind(
    reason="FINDINGS_NOT_CHECKED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="核查有提示，请逐条核对后再通过。",
    en="The checks noticed something; look at each finding before you approve.",
)
NUMBER_HAS_EID: Final = ErrorKind(
    reason="NUMBER_HAS_EID",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个公民身份号码已经有电子身份证，或者正在发放。",
    en="There is an e-ID for this resident number already, or one is being issued.",
)
REFUSAL_NOTE_NEEDED: Final = ErrorKind(
    reason="REFUSAL_NOTE_NEEDED",
    code=StatusCode.INVALID_ARGUMENT,
    zh="选择“其他原因”时请写明。",
    en="Say why in words when the reason is another one.",
)
OWN_APPLICATION: Final = ErrorKind(
    reason="OWN_APPLICATION",
    code=StatusCode.FAILED_PRECONDITION,
    zh="不能办理本人的申请。",
    en="Nobody decides their own application.",
)

# e-IDs

EID_REVOKED: Final = ErrorKind(
    reason="EID_REVOKED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个电子身份证已经注销。",
    en="This e-ID is revoked.",
)
EID_ALREADY_ACTIVE: Final = ErrorKind(
    reason="EID_ALREADY_ACTIVE",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个电子身份证已经启用，不再需要激活码。",
    en="This e-ID is in use already and needs no activation code.",
)
ACTIVATION_BY_TELEPHONE_OFF: Final = ErrorKind(
    reason="ACTIVATION_BY_TELEPHONE_OFF",
    code=StatusCode.FAILED_PRECONDITION,
    zh="本县（市、区）不通过短信发送激活码，请当面交给本人。",
    en="This county does not send activation codes by telephone; hand it over in person.",
)
ISSUING_SLOW: Final = ErrorKind(
    reason="ISSUING_SLOW",
    code=StatusCode.UNAVAILABLE,
    zh="正在发放，请稍后再试一次。",
    en="The e-ID is being issued; please try once more in a moment.",
)

# Grants

OFFICE_UNKNOWN: Final = ErrorKind(
    reason="OFFICE_UNKNOWN", code=StatusCode.INVALID_ARGUMENT, zh="没有这个职务。", en="There is no such office."
)
OFFICE_WRONG_LEVEL: Final = ErrorKind(
    reason="OFFICE_WRONG_LEVEL",
    code=StatusCode.INVALID_ARGUMENT,
    zh="这一级组织没有这个职务。",
    en="This office does not exist at organisations of this level.",
)
OFFICE_NOT_HELD: Final = ErrorKind(
    reason="OFFICE_NOT_HELD",
    code=StatusCode.PERMISSION_DENIED,
    zh="不能授予您自己没有的权限。",
    en="You cannot grant what you do not hold.",
)
TERM_ENDED: Final = ErrorKind(
    reason="TERM_ENDED", code=StatusCode.INVALID_ARGUMENT, zh="任期已经结束。", en="The term is over already."
)
TERM_REVERSED: Final = ErrorKind(
    reason="TERM_REVERSED",
    code=StatusCode.INVALID_ARGUMENT,
    zh="结束日期早于开始日期。",
    en="The term ends before it begins.",
)
TERM_TOO_LONG: Final = ErrorKind(
    reason="TERM_TOO_LONG", code=StatusCode.INVALID_ARGUMENT, zh="任期不超过六年。", en="A term is six years at most."
)
DATE_UNREAL: Final = ErrorKind(
    reason="DATE_UNREAL", code=StatusCode.INVALID_ARGUMENT, zh="没有这一天。", en="There is no such day."
)
EID_UNKNOWN: Final = ErrorKind(
    reason="EID_UNKNOWN",
    code=StatusCode.INVALID_ARGUMENT,
    zh="这个组织范围内没有这个电子身份证号。",
    en="There is no such e-ID within this organisation.",
)
GRANT_ENDED: Final = ErrorKind(
    reason="GRANT_ENDED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这项授权已经结束。",
    en="This grant has ended already.",
)
BOOTSTRAP_REFUSED: Final = ErrorKind(
    reason="BOOTSTRAP_REFUSED",
    code=StatusCode.PERMISSION_DENIED,
    zh="启用码、受理号或查询码不正确，或者启用码已经用过。",
    en="Bootstrap code, case number or case code is wrong, or the bootstrap code has been used.",
)

# People

declare_noun("person", zh="人员", en="person")
declare_noun("correction", zh="更正申请", en="correction")
declare_noun("erasure", zh="销毁申请", en="erasure")
declare_noun("recovery", zh="找回申请", en="recovery")
declare_noun("document", zh="材料", en="document")

NUMBER_HELD: Final = ErrorKind(
    reason="NUMBER_HELD",
    code=StatusCode.INVALID_ARGUMENT,
    zh="这个公民身份号码已登记在另一人名下，请核对证件；如确属本人，请先更正那一条记录。",
    en="Somebody else is recorded with this resident number; compare it with the card, or correct the other record first.",
)
EDUCATION_UNKNOWN: Final = ErrorKind(
    reason="EDUCATION_UNKNOWN",
    code=StatusCode.INVALID_ARGUMENT,
    zh="请填写小学、初中、高中、大专、本科或研究生。",
    en="Name a level of schooling: PRIMARY, JUNIOR_MIDDLE, SENIOR_MIDDLE, COLLEGE, BACHELOR or POSTGRADUATE.",
)
VALUE_LENGTH: Final = ErrorKind(
    reason="VALUE_LENGTH",
    code=StatusCode.INVALID_ARGUMENT,
    zh="内容为空或者过长，请修改。",
    en="This is empty or too long.",
)
PERSON_ERASED: Final = ErrorKind(
    reason="PERSON_ERASED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个人的资料已经销毁，不能再修改。",
    en="The data of this person were destroyed and cannot be changed any more.",
)
RECORD_NOT_CLOSED: Final = ErrorKind(
    reason="RECORD_NOT_CLOSED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个人仍在册。请先由支部登记去世、出党或者转出，再销毁资料。",
    en="This person's record is open. Have the branch record death, leaving or moving out first.",
)
OTHER_OFFICER_NEEDED: Final = ErrorKind(
    reason="OTHER_OFFICER_NEEDED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="需要另一位工作人员确认，不能由同一人办理。",
    en="Another officer has to confirm this; the one who began cannot.",
)
OWN_RECORD: Final = ErrorKind(
    reason="OWN_RECORD",
    code=StatusCode.FAILED_PRECONDITION,
    zh="不能办理本人的事项，请由其他工作人员办理。",
    en="Nobody does this about themselves; ask another officer.",
)
LOGIN_TOO_OLD: Final = ErrorKind(
    reason="LOGIN_TOO_OLD",
    code=StatusCode.FAILED_PRECONDITION,
    zh="为了安全，请重新登录，并在十分钟内办理。",
    en="Please log in again, then do this within ten minutes.",
)
NO_EID: Final = ErrorKind(
    reason="NO_EID",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个人没有有效的电子身份证。",
    en="This person has no living e-ID.",
)
CORRECTION_OPEN: Final = ErrorKind(
    reason="CORRECTION_OPEN",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这一项您已经申请更正，正在办理。要改内容，请先撤回原来的申请，再重新提交。",
    en="You have asked for a correction of this already, and it waits. To change it, withdraw that one and ask again.",
)
CORRECTION_ENDED: Final = ErrorKind(
    reason="CORRECTION_ENDED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这项更正申请已经办结或者撤回。",
    en="This correction was decided or withdrawn.",
)
REPLY_NOTE_NEEDED: Final = ErrorKind(
    reason="REPLY_NOTE_NEEDED",
    code=StatusCode.INVALID_ARGUMENT,
    zh="不予更正时请说明原因。",
    en="Say why when a correction is refused.",
)

# Erasure

ERASURE_ENDED: Final = ErrorKind(
    reason="ERASURE_ENDED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这项销毁申请已经办结、不予销毁或者撤回。",
    en="This erasure was done, refused or taken back.",
)
ERASURE_EXPIRED: Final = ErrorKind(
    reason="ERASURE_EXPIRED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="已超过一天没有确认，请重新提出销毁。",
    en="Nobody confirmed it within a day; ask for the erasure anew.",
)

# Recovery

RECOVERY_OPEN: Final = ErrorKind(
    reason="RECOVERY_OPEN",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个电子身份证已有找回或补发正在等待确认。",
    en="A recovery of this e-ID waits for its confirmation already.",
)
RECOVERY_ENDED: Final = ErrorKind(
    reason="RECOVERY_ENDED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这次找回已经办结。",
    en="This recovery has ended already.",
)
RECOVERY_EXPIRED: Final = ErrorKind(
    reason="RECOVERY_EXPIRED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="已超过一天没有确认，请重新办理。",
    en="Nobody confirmed it within a day; begin anew.",
)

# Documents

DOCUMENT_KIND: Final = ErrorKind(
    reason="DOCUMENT_KIND",
    code=StatusCode.INVALID_ARGUMENT,
    zh="只接受 PDF、JPEG 和 PNG 文件，请转换后上传。",
    en="Only PDF, JPEG and PNG files are kept; convert the file and upload it again.",
)
DOCUMENT_TOO_LARGE: Final = ErrorKind(
    reason="DOCUMENT_TOO_LARGE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="文件超过 15 MB，请压缩或者分开上传。",
    en="The file is larger than 15 MB; make it smaller or upload it in parts.",
)

# Cards and certificates

SINCE_UNREADABLE: Final = ErrorKind(
    reason="SINCE_UNREADABLE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="时间格式应为 2026-11-23T08:00:00Z。",
    en="Write the instant as 2026-11-23T08:00:00Z.",
)
AUTHORITY_MISSING: Final = ErrorKind(
    reason="AUTHORITY_MISSING",
    code=StatusCode.FAILED_PRECONDITION,
    zh="还没有导入证书机构，请联系系统管理员。",
    en="No certificate authority has been imported yet; ask the operators of the system.",
)
SIGNING_REQUEST_UNREADABLE: Final = ErrorKind(
    reason="SIGNING_REQUEST_UNREADABLE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="这不是密钥盘生成的证书请求（PKCS#10，PEM 格式）。",
    en="This is not a certificate request (PKCS#10, PEM) as a key stick makes it.",
)
SIGNING_REQUEST_KEY: Final = ErrorKind(
    reason="SIGNING_REQUEST_KEY",
    code=StatusCode.INVALID_ARGUMENT,
    zh="密钥应为 P-256、P-384，或 2048 至 4096 位的 RSA，请在密钥盘上重新生成。",
    en="The key must be P-256, P-384, or RSA of 2048 to 4096 bits; make another one on the key stick.",
)
SIGNING_REQUEST_UNPROVEN: Final = ErrorKind(
    reason="SIGNING_REQUEST_UNPROVEN",
    code=StatusCode.INVALID_ARGUMENT,
    zh="证书请求的签名不正确，请在密钥盘上重新生成请求。",
    en="The request is not signed well with its own key; make the request anew on the key stick.",
)
OFFICE_MISSING: Final = ErrorKind(
    reason="OFFICE_MISSING",
    code=StatusCode.FAILED_PRECONDITION,
    zh="此人在本组织及下级没有职务，或者没有有效的电子身份证，不能发放证书。",
    en="This person holds no office here or below, or has no living e-ID, so no certificate can be issued.",
)
CERTIFICATE_KEY_USED: Final = ErrorKind(
    reason="CERTIFICATE_KEY_USED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个密钥已经发过证书、正在等待确认，或者曾被本人拒绝。请在密钥盘上生成新的密钥。",
    en="This key has had a certificate, waits for one or was refused by its holder; make a new key on the key stick.",
)
CERTIFICATE_REQUEST_OPEN: Final = ErrorKind(
    reason="CERTIFICATE_REQUEST_OPEN",
    code=StatusCode.FAILED_PRECONDITION,
    zh="已有一份证书申请在等这位干部确认。请等候，或者先撤回那一份。",
    en="A certificate waits for this officer's confirmation already; wait for it, or withdraw it first.",
)
CERTIFICATE_REQUEST_ENDED: Final = ErrorKind(
    reason="CERTIFICATE_REQUEST_ENDED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这份证书申请已经确认、拒绝或者撤回。",
    en="This certificate was confirmed, refused or withdrawn already.",
)
CERTIFICATE_REQUEST_EXPIRED: Final = ErrorKind(
    reason="CERTIFICATE_REQUEST_EXPIRED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这份证书申请超过七天没有确认，已经失效，请重新申请。",
    en="Nobody confirmed this certificate within seven days; have it asked for anew.",
)
CERTIFICATE_REQUEST_OUTDATED: Final = ErrorKind(
    reason="CERTIFICATE_REQUEST_OUTDATED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="申请之后您的职务或者电子身份证有变动，不能按这份申请签发。请由工作人员重新申请。",
    en="Your office or your e-ID has changed since this was asked for; have it asked for anew.",
)
CERTIFICATE_NOT_ISSUED: Final = ErrorKind(
    reason="CERTIFICATE_NOT_ISSUED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这张证书没有签发，不用吊销；还在等待确认的可以撤回。",
    en="This certificate was never signed, so there is nothing to revoke; what waits can be withdrawn.",
)
CERTIFICATE_REVOKED: Final = ErrorKind(
    reason="CERTIFICATE_REVOKED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个证书已经吊销。",
    en="This certificate is revoked already.",
)

# Rosters and e-IDs for many people

ROSTER_WRONG_LEVEL: Final = ErrorKind(
    reason="ROSTER_WRONG_LEVEL",
    code=StatusCode.FAILED_PRECONDITION,
    zh="花名册按县（市、区）、乡镇（街道）或党支部导入、导出，请选择其中一个。",
    en="Rosters are imported and exported for a county, a township or a branch; choose one of them.",
)
ROSTER_TOO_LARGE: Final = ErrorKind(
    reason="ROSTER_TOO_LARGE",
    code=StatusCode.RESOURCE_EXHAUSTED,
    zh="文件超过 64 MB。请只保留花名册所在的工作表，或者分成几个文件。",
    en="The file is larger than 64 MB. Keep only the roster's sheet, or split the file.",
)
ROSTER_NOT_OPEN: Final = ErrorKind(
    reason="ROSTER_NOT_OPEN",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这份花名册已经提交或取消，不能再改动。需要时请重新上传。",
    en="This roster was committed or cancelled and cannot be changed any more. Upload the file again if needed.",
)
ROSTER_NOT_CHECKED: Final = ErrorKind(
    reason="ROSTER_NOT_CHECKED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这份花名册还没有检查完，或者读不出来，请稍候或先调整列的含义。",
    en="This roster is not checked yet, or cannot be read; wait, or first say what its columns mean.",
)
ROSTER_HAS_PROBLEMS: Final = ErrorKind(
    reason="ROSTER_HAS_PROBLEMS",
    code=StatusCode.FAILED_PRECONDITION,
    zh="还有 {count} 行有问题。请下载问题清单改好后重新上传，或者确认先跳过这些行。",
    en="{count} rows have problems. Mend them in the downloaded file and upload it, or say that they are left out.",
)
EID_BATCH_RUNNING: Final = ErrorKind(
    reason="EID_BATCH_RUNNING",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个组织正在批量发放电子身份证，请等它完成。",
    en="e-IDs are being issued for this organisation already; wait until that is done.",
)
MEMBER_KEY_GONE: Final = ErrorKind(
    reason="MEMBER_KEY_GONE",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个人的资料已被销毁，不再发放。",
    en="The data of this person were destroyed; there is nobody to issue an e-ID to.",
)
ACCOUNT_FOREIGN: Final = ErrorKind(
    reason="ACCOUNT_FOREIGN",
    code=StatusCode.FAILED_PRECONDITION,
    zh="登录系统里已有同号的别人的账号。再次批量发放时会换一个编号；反复出现时请联系系统管理员。",
    en="The log-in system has somebody else's account under this number. The next batch takes another number; should it"
    " happen again, turn to the operators.",
)
ACCOUNT_REFUSED: Final = ErrorKind(
    reason="ACCOUNT_REFUSED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="试了几次，登录系统都没有为这个人开通账号。可以再次批量发放；反复出现时请联系系统管理员。",
    en="The log-in system did not open an account for this person, several times over. Start another batch; should it happen"
    " again, turn to the operators.",
)
ISSUING_FAILED: Final = ErrorKind(
    reason="ISSUING_FAILED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="试了几次，这个人的电子身份证都没有发成。可以再次批量发放；反复出现时请联系系统管理员。",
    en="Issuing this person's e-ID failed several times over. Start another batch; should it happen again, turn to the"
    " operators.",
)
PERSON_CHANGED: Final = ErrorKind(
    reason="PERSON_CHANGED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个人的记录在发放期间已经结束或转到外县，不需要在这里办理。",
    en="The person's record ended or moved to another county while this was being done; nothing is left to do here.",
)
PERSON_INCOMPLETE: Final = ErrorKind(
    reason="PERSON_INCOMPLETE",
    code=StatusCode.FAILED_PRECONDITION,
    zh="姓名、公民身份号码或手机号码不全，无法登录。请补全这个人的资料，然后再次批量发放。",
    en="Name, resident number or telephone is missing, without which nobody can log in. Complete the record, then start"
    " another batch.",
)
NO_EID_WAITING: Final = ErrorKind(
    reason="NO_EID_WAITING",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这里没有等待激活的电子身份证，不需要打印激活码。",
    en="No e-ID waits for its activation here; there are no codes to print.",
)
SHEET_TOO_LARGE: Final = ErrorKind(
    reason="SHEET_TOO_LARGE",
    code=StatusCode.FAILED_PRECONDITION,
    zh="等待激活的超过 {most} 人，一个文件放不下。请按乡镇（街道）或党支部分别打印。",
    en="More than {most} people wait for their activation, too many for one file. Print by township or branch.",
)
FONT_MISSING: Final = ErrorKind(
    reason="FONT_MISSING",
    code=StatusCode.FAILED_PRECONDITION,
    zh="服务器上没有中文字体，无法打印。请系统管理员安装 fonts-noto-cjk，或者用 ZHIBU_CARD_FONT 指定字体文件。",
    en="The server has no Chinese font, so nothing can be printed. Have the operators install fonts-noto-cjk, or name font"
    " files in ZHIBU_CARD_FONT.",
)
