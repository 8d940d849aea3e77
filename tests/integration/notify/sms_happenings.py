"""What sets messages in motion: an ordinary notice, an urgent one, a code; and the county's settings."""

from __future__ import annotations

import itertools
from datetime import datetime

from integration.notify.running_notify import CODE
from integration.notify.world import BRANCH, COUNTY, World, instant
from support.rpc import outcome_of
from zhibu.branches.v1 import membership_pb2
from zhibu.branches.v1.branches_events_pb2 import MembershipChanged
from zhibu.identity.v1.roster_events_pb2 import TelephoneChanged
from zhibu.notify.v1 import code_service_pb2
from zhibu.notify.v1 import inbox_service_pb2 as pb
from zhibu_kit.ids import new_ulid
from zhibu_notify.notice_rules import SHANGHAI

_versions = itertools.count(1)


def ordinary(member_id: str, branch_id: str = BRANCH) -> MembershipChanged:
    return MembershipChanged(
        membership_id=new_ulid(),
        member_id=member_id,
        branch_id=branch_id,
        county_code=COUNTY,
        kind=membership_pb2.MEMBERSHIP_KIND_PHYSICAL,
        active=True,
        version=1,
        change_time=instant(),
    )


def urgent(member_id: str, *, replaced: bool = False) -> TelephoneChanged:
    return TelephoneChanged(
        member_id=member_id, county_code=COUNTY, version=next(_versions), change_time=instant(), replaced=replaced
    )


def hours_around_now() -> tuple[int, int]:
    hour = datetime.now(SHANGHAI).hour
    return (hour - 1) % 24, (hour + 2) % 24


async def settings(world: World) -> pb.NoticeSettings:
    admin = await world.officer("county_admin", COUNTY)
    request = pb.GetNoticeSettingsRequest(organisation_id=COUNTY)
    return (await world.inbox.GetNoticeSettings(request, metadata=world.as_member(admin))).settings


async def send_code(world: World, number: str) -> None:
    """Send a code as identity does."""
    request = code_service_pb2.SendCodeRequest(
        telephone=number,
        code=CODE,
        purpose=code_service_pb2.CODE_PURPOSE_LOGIN,
        language="zh-CN",
        expires_in_s=300,
        request_id=new_ulid(),
    )
    assert await outcome_of(world.codes.SendCode(request, metadata=world.as_identity(), timeout=8)) == "OK"
