"""Why a change of the organisation tree is refused."""

from typing import Final

from grpc import StatusCode
from zhibu_kit.errors import ErrorKind, declare_noun

declare_noun("organisation", zh="组织", en="organisation")
declare_noun("branch", zh="党支部", en="branch")
declare_noun("member", zh="党员", en="member")
declare_noun("membership_request", zh="加入申请", en="membership request")
declare_noun("organisation_change", zh="组织变更", en="organisation change")
declare_noun("roster", zh="花名册", en="roster")

ORGANISATION_EXISTS: Final = ErrorKind(
    reason="ORGANISATION_EXISTS",
    code=StatusCode.ALREADY_EXISTS,
    zh="这个代码的组织已经存在。",
    en="There is an organisation with this code already.",
)
ORGANISATION_NAME_TAKEN: Final = ErrorKind(
    reason="ORGANISATION_NAME_TAKEN",
    code=StatusCode.ALREADY_EXISTS,
    zh="上级组织下已有同名组织。",
    en="There is an organisation of this name below the same one already.",
)
ORGANISATION_DISSOLVED: Final = ErrorKind(
    reason="ORGANISATION_DISSOLVED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个组织已经撤销。",
    en="This organisation has been dissolved.",
)
LEVEL_NOT_ALLOWED: Final = ErrorKind(
    reason="LEVEL_NOT_ALLOWED",
    code=StatusCode.INVALID_ARGUMENT,
    zh="这一级组织不能设在所选的上级组织之下。",
    en="An organisation of this level cannot stand below the one chosen.",
)
CODE_REQUIRED: Final = ErrorKind(
    reason="CODE_REQUIRED",
    code=StatusCode.INVALID_ARGUMENT,
    zh="市、县级组织须填写行政区划代码。",
    en="Cities and counties need their division code.",
)
CODE_NOT_ALLOWED: Final = ErrorKind(
    reason="CODE_NOT_ALLOWED",
    code=StatusCode.INVALID_ARGUMENT,
    zh="党支部的代码由系统分配，请勿填写。",
    en="A branch gets its code from the system; leave it empty.",
)
CODE_NOT_BELOW_PARENT: Final = ErrorKind(
    reason="CODE_NOT_BELOW_PARENT",
    code=StatusCode.INVALID_ARGUMENT,
    zh="行政区划代码与级别或上级组织不符。",
    en="The division code does not fit the level or the organisation above.",
)
NAME_NOT_READABLE: Final = ErrorKind(
    reason="NAME_NOT_READABLE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="名称为空或含有看不见的字符，请重新填写。",
    en="The name is empty or holds invisible characters.",
)
MEMBER_HAS_RECORD: Final = ErrorKind(
    reason="MEMBER_HAS_RECORD",
    code=StatusCode.ALREADY_EXISTS,
    zh="此人已编入党支部，不能重复编入；调整所在党支部请用组织关系接转或花名册。",
    en="A branch holds this person already. To change the branch, use a transfer or a roster.",
)
MEMBER_NOT_PRESENT: Final = ErrorKind(
    reason="MEMBER_NOT_PRESENT",
    code=StatusCode.FAILED_PRECONDITION,
    zh="此人的党员档案已终止，不能再办理。",
    en="This member's record has ended; nothing more can be done with it.",
)
MEMBER_PRESENT: Final = ErrorKind(
    reason="MEMBER_PRESENT",
    code=StatusCode.FAILED_PRECONDITION,
    zh="此人仍在册，不需要恢复。",
    en="This member's record is open; there is nothing to restore.",
)
MEMBER_ERASED: Final = ErrorKind(
    reason="MEMBER_ERASED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="此人的个人信息已经销毁，档案不能恢复；请按新人员重新登记。",
    en="The data of this person were erased, so the record cannot be opened again. Take the person up anew.",
)
RESTORE_NOT_FITTING: Final = ErrorKind(
    reason="RESTORE_NOT_FITTING",
    code=StatusCode.INVALID_ARGUMENT,
    zh="这个恢复原因与档案终止的方式不符，请核对文件。",
    en="This reason does not fit the way in which the record ended. Check the document.",
)
DATE_BEFORE_END: Final = ErrorKind(
    reason="DATE_BEFORE_END",
    code=StatusCode.INVALID_ARGUMENT,
    zh="日期早于档案终止的日期，请核对文件后改正。",
    en="The date is before the day on which the record ended. Check it against the document.",
)
ALREADY_MEMBER: Final = ErrorKind(
    reason="ALREADY_MEMBER",
    code=StatusCode.ALREADY_EXISTS,
    zh="此人已在这个党支部中。",
    en="This person belongs to this branch already.",
)
NOT_A_MEMBER: Final = ErrorKind(
    reason="NOT_A_MEMBER",
    code=StatusCode.FAILED_PRECONDITION,
    zh="此人不在这个党支部中，请刷新后查看。",
    en="This person does not belong to this branch. Load the page again.",
)
BRANCH_IS_VIRTUAL: Final = ErrorKind(
    reason="BRANCH_IS_VIRTUAL",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这是虚拟支部，党员的组织关系须在实体支部，请选择实体支部。",
    en="This is a virtual branch; choose a physical branch, which is where members belong.",
)
BRANCH_IS_PHYSICAL: Final = ErrorKind(
    reason="BRANCH_IS_PHYSICAL",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这是实体支部，加入或离开须接转组织关系；请选择虚拟支部。",
    en="This is a physical branch, which is joined and left by a transfer; choose a virtual branch.",
)
DECISION_CHANGES_NOTHING: Final = ErrorKind(
    reason="DECISION_CHANGES_NOTHING",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个决定没有改变任何内容，请填写新的身份、职业或者去向。",
    en="This decision changes nothing. State a new status, occupation or standing.",
)
DATE_IN_FUTURE: Final = ErrorKind(
    reason="DATE_IN_FUTURE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="日期晚于今天，请改正。",
    en="The date is after today; please correct it.",
)
DATE_NOT_A_DAY: Final = ErrorKind(
    reason="DATE_NOT_A_DAY",
    code=StatusCode.INVALID_ARGUMENT,
    zh="没有这一天，请按“年-月-日”重新填写。",
    en="There is no such day. Write it as year-month-day.",
)
DATE_BEFORE_STATUS: Final = ErrorKind(
    reason="DATE_BEFORE_STATUS",
    code=StatusCode.INVALID_ARGUMENT,
    zh="日期早于档案中已有的日期，请核对文件后改正。",
    en="The date is before dates that the record holds already. Check it against the document.",
)
DATES_OUT_OF_ORDER: Final = ErrorKind(
    reason="DATES_OUT_OF_ORDER",
    code=StatusCode.INVALID_ARGUMENT,
    zh="日期先后不对：申请、入党、转正应依次进行，请核对。",
    en="The dates are out of order: application, admission, confirmation follow each other. Please check.",
)
STATUS_NOT_REACHABLE: Final = ErrorKind(
    reason="STATUS_NOT_REACHABLE",
    code=StatusCode.FAILED_PRECONDITION,
    zh="不能由现在的身份直接变为所填身份，例如转为正式党员之前须是预备党员。请逐步登记。",
    en="This status does not follow the present one: a full member was probationary before, for example. Record each step.",
)
STANDING_NOT_FITTING: Final = ErrorKind(
    reason="STANDING_NOT_FITTING",
    code=StatusCode.FAILED_PRECONDITION,
    zh="所填去向与身份不符：退党、除名、开除只用于党员，终止培养只用于尚未入党的人。",
    en="This standing does not fit the status: only members leave or are expelled, and only others are no longer followed.",
)
STATUS_WITH_STANDING: Final = ErrorKind(
    reason="STATUS_WITH_STANDING",
    code=StatusCode.INVALID_ARGUMENT,
    zh="身份和去向请分两次登记。",
    en="Record a change of status and the end of a record one after the other.",
)
DOCUMENT_WANTED: Final = ErrorKind(
    reason="DOCUMENT_WANTED",
    code=StatusCode.INVALID_ARGUMENT,
    zh="变更身份或者去向须填写文号。",
    en="A change of status or standing needs the number of its document.",
)
ADMISSION_DATE_WANTED: Final = ErrorKind(
    reason="ADMISSION_DATE_WANTED",
    code=StatusCode.INVALID_ARGUMENT,
    zh="党员须填写入党日期。",
    en="A member needs the date of admission.",
)
DATE_NOT_FITTING_STATUS: Final = ErrorKind(
    reason="DATE_NOT_FITTING_STATUS",
    code=StatusCode.INVALID_ARGUMENT,
    zh="所填日期与身份不符：未入党者没有入党日期，预备党员没有转正日期。",
    en="A date does not fit the status: before admission there is no such date, and none of confirmation before that.",
)
REQUEST_OPEN_ALREADY: Final = ErrorKind(
    reason="REQUEST_OPEN_ALREADY",
    code=StatusCode.ALREADY_EXISTS,
    zh="您已申请加入这个支部，请等待答复。",
    en="You have asked to join this branch already. Please wait for the answer.",
)
REQUEST_ALREADY_DECIDED: Final = ErrorKind(
    reason="REQUEST_ALREADY_DECIDED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个申请已经办结或者失效。",
    en="This request has been decided or has lapsed.",
)
OWN_MATTER: Final = ErrorKind(
    reason="OWN_MATTER",
    code=StatusCode.FAILED_PRECONDITION,
    zh="不能办理本人的事项，请由其他工作人员办理。",
    en="Nobody decides about themselves; ask another officer.",
)
TOO_MANY_REQUESTS_OPEN: Final = ErrorKind(
    reason="TOO_MANY_REQUESTS_OPEN",
    code=StatusCode.FAILED_PRECONDITION,
    zh="未答复的申请已达 {limit} 个，请等待答复或撤回后再申请。",
    en="{limit} of your requests wait for an answer. Wait, or take one back first.",
)
REFUSAL_NOTE_WANTED: Final = ErrorKind(
    reason="REFUSAL_NOTE_WANTED",
    code=StatusCode.INVALID_ARGUMENT,
    zh="不同意时请说明理由。",
    en="Say why when you refuse.",
)
COUNTY_WANTED: Final = ErrorKind(
    reason="COUNTY_WANTED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="党员名册按县（市、区）查看，请选择一个县或其下的组织；省、市可查看统计。",
    en="Members are listed by county. Choose a county or something below it; provinces and cities have statistics.",
)
ORGANISATION_IS_NO_COUNTY: Final = ErrorKind(
    reason="ORGANISATION_IS_NO_COUNTY",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这项设置属于县（市、区），请选择一个县。",
    en="This is set for a county; choose one.",
)
ORGANISATION_IS_NO_BRANCH: Final = ErrorKind(
    reason="ORGANISATION_IS_NO_BRANCH",
    code=StatusCode.FAILED_PRECONDITION,
    zh="请选择党支部。",
    en="Choose a branch.",
)
MEMBER_NOT_UNPLACED: Final = ErrorKind(
    reason="MEMBER_NOT_UNPLACED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="本县没有此人待编入支部的记录：可能尚未发放电子身份证，或已被编入。",
    en="Nobody of this county waits for a branch under this number: there is no e-ID yet, or a branch holds the person.",
)
RIGHTS_ACT_UNKNOWN: Final = ErrorKind(
    reason="RIGHTS_ACT_UNKNOWN",
    code=StatusCode.INVALID_ARGUMENT,
    zh="没有这项权利，请使用列出的名称。",
    en="There is no such act; use the names that are listed.",
)
RIGHTS_ACT_TWICE: Final = ErrorKind(
    reason="RIGHTS_ACT_TWICE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="同一项权利写了两次。",
    en="An act is listed twice.",
)
RIGHTS_ACT_MISSING: Final = ErrorKind(
    reason="RIGHTS_ACT_MISSING",
    code=StatusCode.INVALID_ARGUMENT,
    zh="每一项权利都要写明。",
    en="Every act must be listed.",
)
RIGHTS_NOWHERE: Final = ErrorKind(
    reason="RIGHTS_NOWHERE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="每一项权利至少要在一种支部行使。",
    en="Each act must be done in one kind of branch at least.",
)
MEMBER_ELSEWHERE: Final = ErrorKind(
    reason="MEMBER_ELSEWHERE",
    code=StatusCode.FAILED_PRECONDITION,
    zh="此人的组织关系在另一个县（市、区）。请先接转组织关系，再导入；若已去世或者转出，请该县登记。",
    en="This member belongs to another county. Transfer the relation first, then import again.",
)
ROSTER_RECORD_ENDED: Final = ErrorKind(
    reason="ROSTER_RECORD_ENDED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="此人的党员档案已终止（去世、退党、除名、开除或者转出）。请核对花名册，应删去这一行。",
    en="This member's record has ended. Check the roster; the row should go.",
)
ROSTER_BRANCH_UNKNOWN: Final = ErrorKind(
    reason="ROSTER_BRANCH_UNKNOWN",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个党支部不存在、已撤销、不在本县，或者是虚拟支部。请改为本县的实体支部后重新导入。",
    en="This branch is not there, dissolved, of another county, or virtual. Name a physical branch of the county.",
)
ROSTER_STATUS_UNKNOWN: Final = ErrorKind(
    reason="ROSTER_STATUS_UNKNOWN",
    code=StatusCode.FAILED_PRECONDITION,
    zh="花名册没有写明此人的身份，也没有入党日期。请补上人员类别或者入党日期后重新导入。",
    en="The roster says neither status nor date of admission. Fill one in and import again.",
)
ROSTER_STATUS_BEHIND: Final = ErrorKind(
    reason="ROSTER_STATUS_BEHIND",
    code=StatusCode.FAILED_PRECONDITION,
    zh="花名册中的身份早于系统中已登记的身份。请核对：花名册过期则更新花名册，系统有误则按文件登记更正。",
    en="The roster's status is behind the one on record. Update the roster, or record a decision with its document.",
)
ROSTER_STATUS_NEEDS_DECISION: Final = ErrorKind(
    reason="ROSTER_STATUS_NEEDS_DECISION",
    code=StatusCode.FAILED_PRECONDITION,
    zh="留党察看及其恢复须按文件登记，不能由花名册变更。",
    en="Probation within the Party begins and ends by a recorded decision, not by a roster.",
)
ROSTER_DATE_IN_FUTURE: Final = ErrorKind(
    reason="ROSTER_DATE_IN_FUTURE",
    code=StatusCode.FAILED_PRECONDITION,
    zh="花名册中的日期晚于今天，请改正后重新导入。",
    en="A date of the roster is after today; correct it and import again.",
)
ROSTER_DATES_OUT_OF_ORDER: Final = ErrorKind(
    reason="ROSTER_DATES_OUT_OF_ORDER",
    code=StatusCode.FAILED_PRECONDITION,
    zh="申请、入党、转正日期先后不对（包括系统中已登记的日期），请核对后重新导入。",
    en="Dates of application, admission and confirmation are out of order, those on record included. Check them.",
)
ROSTER_DATE_NOT_FITTING_STATUS: Final = ErrorKind(
    reason="ROSTER_DATE_NOT_FITTING_STATUS",
    code=StatusCode.FAILED_PRECONDITION,
    zh="日期与身份不符：未入党者没有入党日期，预备党员没有转正日期。请核对后重新导入。",
    en="A date does not fit the status: none of admission before it, none of confirmation for probationary members.",
)
ROSTER_MEMBER_TWICE: Final = ErrorKind(
    reason="ROSTER_MEMBER_TWICE",
    code=StatusCode.FAILED_PRECONDITION,
    zh="同一人在花名册中出现两次，只采用第一行。请删去多余的行。",
    en="The same person stands in the roster twice; the first row counted. Remove the other.",
)
CHANGE_TARGET_DISSOLVED: Final = ErrorKind(
    reason="CHANGE_TARGET_DISSOLVED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="所选的目标组织已经撤销，请另选。",
    en="The organisation chosen as target has been dissolved; choose another.",
)
CHANGE_NOT_FOR_LEVEL: Final = ErrorKind(
    reason="CHANGE_NOT_FOR_LEVEL",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这一级组织不能办理这项变更，或者不能设在所选组织之下。",
    en="This cannot be done to an organisation of this level, or below the one chosen.",
)
CHANGE_ANOTHER_COUNTY: Final = ErrorKind(
    reason="CHANGE_ANOTHER_COUNTY",
    code=StatusCode.FAILED_PRECONDITION,
    zh="两个组织不在同一个县（市、区）；跨县调整须由党员接转组织关系。",
    en="The two are not of one county; between counties members transfer their relation instead.",
)
CHANGE_STANDS_THERE: Final = ErrorKind(
    reason="CHANGE_STANDS_THERE",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个组织已在所选组织之下。",
    en="The organisation stands below the one chosen already.",
)
CHANGE_INTO_ITSELF: Final = ErrorKind(
    reason="CHANGE_INTO_ITSELF",
    code=StatusCode.FAILED_PRECONDITION,
    zh="不能移到或并入自己及自己的下级组织，请另选。",
    en="An organisation cannot go into or below itself; choose another.",
)
CHANGE_ANOTHER_LEVEL: Final = ErrorKind(
    reason="CHANGE_ANOTHER_LEVEL",
    code=StatusCode.FAILED_PRECONDITION,
    zh="只能与同级组织合并，请另选。",
    en="Only organisations of one level are merged; choose another.",
)
CHANGE_ANOTHER_KIND: Final = ErrorKind(
    reason="CHANGE_ANOTHER_KIND",
    code=StatusCode.FAILED_PRECONDITION,
    zh="实体支部只能并入实体支部，虚拟支部只能并入虚拟支部，请另选。",
    en="A physical branch is merged into a physical one and a virtual into a virtual one; choose another.",
)
ORGANISATION_NOT_EMPTY: Final = ErrorKind(
    reason="ORGANISATION_NOT_EMPTY",
    code=StatusCode.FAILED_PRECONDITION,
    zh="下面还有组织，请先移走、合并或者撤销它们。",
    en="There are organisations below it. Move, merge or dissolve them first.",
)
CHANGE_TARGET_WANTED: Final = ErrorKind(
    reason="CHANGE_TARGET_WANTED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="支部还有党员，请选择接收他们的支部。",
    en="The branch has members; choose the branch that takes them.",
)
CHANGE_TARGET_NOT_WANTED: Final = ErrorKind(
    reason="CHANGE_TARGET_NOT_WANTED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="撤销虚拟支部或者上级组织时不需要接收支部，请留空。",
    en="A virtual branch, and an organisation above branches, ends without a target; leave it empty.",
)
SPLIT_NOBODY_MOVES: Final = ErrorKind(
    reason="SPLIT_NOBODY_MOVES",
    code=StatusCode.FAILED_PRECONDITION,
    zh="所选党员都已不在这个支部，请重新选择。",
    en="None of the members chosen belongs to this branch any more; choose again.",
)
SPLIT_NOBODY_STAYS: Final = ErrorKind(
    reason="SPLIT_NOBODY_STAYS",
    code=StatusCode.FAILED_PRECONDITION,
    zh="不能把全部党员分出去；如要改名，请办理更名。",
    en="Not all members can go to the new branch; to change the name, rename the branch.",
)
SPLIT_MEMBER_NOT_HERE: Final = ErrorKind(
    reason="SPLIT_MEMBER_NOT_HERE",
    code=StatusCode.FAILED_PRECONDITION,
    zh="所选党员中有人不在这个支部，请刷新名册后重新选择。",
    en="Somebody chosen does not belong to this branch. Load the list again and choose again.",
)
EFFECTIVE_DATE_PASSED: Final = ErrorKind(
    reason="EFFECTIVE_DATE_PASSED",
    code=StatusCode.INVALID_ARGUMENT,
    zh="生效日期早于今天，请填写今天或以后的日期，或者留空。",
    en="The day has passed; choose today or a later one, or leave it empty.",
)
EFFECTIVE_DATE_TOO_FAR: Final = ErrorKind(
    reason="EFFECTIVE_DATE_TOO_FAR",
    code=StatusCode.INVALID_ARGUMENT,
    zh="生效日期最多可在五年以后。",
    en="A change can be planned for five years ahead at most.",
)
TOO_MANY_CHANGES_PLANNED: Final = ErrorKind(
    reason="TOO_MANY_CHANGES_PLANNED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个组织已有 {limit} 项计划中的变更，请先取消一些。",
    en="{limit} changes of this organisation are planned already; cancel some first.",
)
CHANGE_NOT_PLANNED: Final = ErrorKind(
    reason="CHANGE_NOT_PLANNED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这项变更已经办理、取消或者失败，不能再取消。",
    en="This change was done, cancelled or has failed; it cannot be cancelled any more.",
)
CHANGE_COLLIDED: Final = ErrorKind(
    reason="CHANGE_COLLIDED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这项变更与同时办理的另一项变更冲突，没有生效，请核对后重新办理。",
    en="This change collided with another one made at the same time and was not done. Check, and plan it again.",
)
