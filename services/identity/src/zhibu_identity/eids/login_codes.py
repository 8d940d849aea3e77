"""Log-in codes by SMS: identity computes the code of the moment from the seed, Keycloak checks it.

Whether there is such an e-ID makes no difference to the answer, nor to its time: that is found out after answering.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
from contextlib import suppress
from datetime import timedelta
from typing import Final

from pyotp.totp import TOTP
from zhibu_kit.db import Role
from zhibu_kit.errors import RATE_LIMITED, ServiceError
from zhibu_kit.scope import Scope

from zhibu_identity.eids.accounts import TOTP_DIGITS, TOTP_PERIOD_S
from zhibu_identity.eids.records import Eid, find_living_eid, open_holder, open_number
from zhibu_identity.errors import RESEND_TOO_SOON
from zhibu_identity.keys.sealing import same
from zhibu_identity.organisations import organisation_of_area
from zhibu_identity.parts import Parts
from zhibu_identity.rate_windows import lock_window, save_window
from zhibu_identity.rules.limits import (
    LOGIN_CODE_HOLDS,
    LOGIN_CODES_PER_HOUR,
    RESEND_AFTER,
    next_window,
    wait_before_next,
)
from zhibu_identity.rules.numbers import find_county_of_eid, normalise_eid_number
from zhibu_identity.rules.search_terms import term_of_eid_number
from zhibu_identity.tasks.queue import Task, TaskKind, add_task, finish_task
from zhibu_identity.telephones.sending import Purpose

log = logging.getLogger("zhibu.identity.login_codes")

WINDOW: Final = "login_code"
# A message that could not be sent for this long would only surprise.
TOO_LATE: Final = timedelta(minutes=5)
# Wishes that wait in one process; more than log-ins of several minutes.
MOST_WAITING: Final = 1000
SIDE_BY_SIDE: Final = 4
# A county that does not exist: a number which cannot be right is looked for there.
_NOWHERE: Final = "000000"


class LoginCodeDesk:
    """Takes wishes for log-in codes: it answers at once, and looks afterwards whether there is such an e-ID.

    What waits here is lost with the process; the member asks again after a minute.
    """

    def __init__(self, parts: Parts) -> None:
        """Begin with no wish; `run` looks after them."""
        self._parts = parts
        self._wishes: asyncio.Queue[str] = asyncio.Queue(maxsize=MOST_WAITING)

    async def ask(self, text: str) -> int:
        """Have the code of the moment sent to the telephone of an e-ID; return the seconds before another may be asked for.

        Raises:
            ServiceError: RESEND_TOO_SOON, for numbers that exist and for those that do not; RATE_LIMITED when too many wait.
        """
        eid_number = normalise_eid_number(text)
        now = self._parts.clock.now()
        subject = self._parts.province.digest("login-code", eid_number)
        async with self._parts.database.transaction(Scope.none()) as transaction:
            window = await lock_window(transaction, WINDOW, subject)
            wait = wait_before_next(window, now, most_per_hour=LOGIN_CODES_PER_HOUR)
            if wait:
                raise RESEND_TOO_SOON(retry_after_s=f"{math.ceil(wait.total_seconds())}")
            if self._wishes.full():
                raise RATE_LIMITED()
            await save_window(transaction, WINDOW, subject, window=next_window(window, now))
        with suppress(asyncio.QueueFull):
            self._wishes.put_nowait(eid_number)
        return int(RESEND_AFTER.total_seconds())

    async def run(self) -> None:
        """Look after the wishes for ever."""
        async with asyncio.TaskGroup() as group:
            for _ in range(SIDE_BY_SIDE):
                group.create_task(self._look_after())

    async def _look_after(self) -> None:
        while True:
            eid_number = await self._wishes.get()
            try:
                await self._pass_on(eid_number)
            except ServiceError as error:
                log.warning("A log-in code was not asked for", extra={"fields": {"because": error.reason}})

    async def _pass_on(self, eid_number: str) -> None:
        record = await find_living_by_number(self._parts, eid_number)
        if record is None:
            return
        async with self._parts.database.transaction(Scope.of(record.county_code)) as transaction:
            await add_task(
                transaction,
                TaskKind.SEND_LOGIN_CODE,
                county_code=record.county_code,
                member_id=record.member_id,
                eid_id=record.eid_id,
                due_at=self._parts.clock.now(),
            )


async def find_living_by_number(parts: Parts, eid_number: str) -> Eid | None:
    """Return the e-ID of a serial number, None when there is none or it is revoked."""
    area = find_county_of_eid(eid_number)
    county_code = organisation_of_area(area) if area else _NOWHERE
    for member_id in await parts.vault.search.find_members(county_code, [term_of_eid_number(eid_number)]):
        # Whoever moved to another county keeps the number, and stands there.
        async with parts.database.transaction(Scope.none(), role=Role.PROVINCE) as transaction:
            record = await find_living_eid(transaction, member_id)
        key = await parts.vault.find_member_key(member_id, record.county_code) if record is not None else None
        # A member is found by the numbers of revoked e-IDs too.
        if record is not None and same(open_number(record, key).encode(), eid_number.encode()):
            return record
    return None


async def send_login_code(parts: Parts, task: Task) -> None:
    """Send the code of the moment, unless it is too late for it."""
    assert task.eid_id is not None
    now = parts.clock.now()
    async with parts.database.transaction(task.scope) as transaction:
        record = await find_living_eid(transaction, task.member_id)
    key = await parts.vault.find_member_key(task.member_id, task.county_code)
    if record is not None and key is not None and record.eid_id == task.eid_id and now - task.due_at < TOO_LATE:
        seed = await parts.vault.find_seed(key, task.eid_id, county_code=task.county_code)
        assert seed is not None, "an issued e-ID has its seed"
        code = TOTP(seed, digits=TOTP_DIGITS, digest=hashlib.sha256, interval=TOTP_PERIOD_S).at(now)
        await parts.telephones.send_code(
            open_holder(record, key).telephone,
            code,
            purpose=Purpose.LOGIN,
            language="zh-CN",
            request_id=f"{task.task_id}-{task.attempts}",
            expires_in=LOGIN_CODE_HOLDS,
        )
    async with parts.database.transaction(task.scope) as transaction:
        await finish_task(transaction, task, now=now)
