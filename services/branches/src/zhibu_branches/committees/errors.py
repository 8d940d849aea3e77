"""Why something is refused that was wanted of a committee."""

from typing import Final

from grpc import StatusCode
from zhibu_kit.errors import ErrorKind, declare_noun

declare_noun("committee", zh="支部委员会", en="committee")
declare_noun("post", zh="职务", en="post")

COMMITTEE_WITHOUT_SECRETARY: Final = ErrorKind(
    reason="COMMITTEE_WITHOUT_SECRETARY",
    code=StatusCode.INVALID_ARGUMENT,
    zh="须有一名书记。",
    en="There must be a secretary.",
)
POST_HELD_TWICE: Final = ErrorKind(
    reason="POST_HELD_TWICE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="这一职务的人数过多，请删除多出的人选。",
    en="Too many people are named for this post; remove those who are too many.",
)
POSTS_CLASH: Final = ErrorKind(
    reason="POSTS_CLASH",
    code=StatusCode.INVALID_ARGUMENT,
    zh="同一名党员不能同时担任这两项职务。",
    en="One member cannot hold these two posts together.",
)
BRANCH_WITHOUT_COMMITTEE: Final = ErrorKind(
    reason="BRANCH_WITHOUT_COMMITTEE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="正式党员不足 {count} 人的党支部不设委员会，只设书记一名，必要时设副书记一名（{article}）。",
    en="A branch of fewer than {count} full members has a secretary and, when needed, a deputy, no committee ({article}).",
)
COMMITTEE_SIZE: Final = ErrorKind(
    reason="COMMITTEE_SIZE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="支部委员会由 {least} 至 {most} 人组成（{article}）。",
    en="A committee has {least} to {most} members ({article}).",
)
HOLDER_NOT_ELIGIBLE: Final = ErrorKind(
    reason="HOLDER_NOT_ELIGIBLE",
    code=StatusCode.INVALID_ARGUMENT,
    zh="此人不是本支部的正式党员，或者正在留党察看，不能任职。",
    en="This person is no full member of this branch, or is under probation, and cannot hold a post.",
)
DATE_TOO_EARLY: Final = ErrorKind(
    reason="DATE_TOO_EARLY",
    code=StatusCode.INVALID_ARGUMENT,
    zh="日期不能早于 {date}。",
    en="The date must not be before {date}.",
)
BRANCH_HAS_NO_COMMITTEE: Final = ErrorKind(
    reason="BRANCH_HAS_NO_COMMITTEE",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这个党支部还没有任命书记或委员会，请先任命。",
    en="This branch has neither a secretary nor a committee; appoint one first.",
)
POST_NOT_VACANT: Final = ErrorKind(
    reason="POST_NOT_VACANT",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这一职务没有空缺。",
    en="This post is not vacant.",
)
POST_ENDED: Final = ErrorKind(
    reason="POST_ENDED",
    code=StatusCode.FAILED_PRECONDITION,
    zh="这一任职已经结束。",
    en="This post has ended already.",
)
TERM_YEARS_NOT_ALLOWED: Final = ErrorKind(
    reason="TERM_YEARS_NOT_ALLOWED",
    code=StatusCode.INVALID_ARGUMENT,
    zh="任期为三年，村、社区为五年。",
    en="A term has 3 years, in villages and communities 5.",
)
