"""Codes reach the telephone once, in bounded time, and leave nothing secret behind."""

import asyncio
import logging
import time

import asyncpg
import pytest
from grpc import StatusCode
from integration.notify.running_notify import CODE, Notify, new_number
from support.rpc import bearer, outcome_of, refusal_of
from zhibu.notify.v1 import code_service_pb2 as pb
from zhibu_kit.db import Database
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope
from zhibu_kit.testing.waiting import wait_until
from zhibu_notify.deliveries import Outcome, find_outcome
from zhibu_stack.databases import ServiceDatabase

LOGIN_TEXT = f"【支部】登录验证码{CODE}，5分钟内有效。请勿告诉他人，工作人员不会向您索取。"
# Callers wait 2.5 s for a refusal as notify is set here; the rest is for a slow machine, and far from never.
REFUSAL_LIMIT_S = 10.0


async def test_a_code_arrives_on_the_demo_telephone(notify: Notify) -> None:
    number = new_number()
    response = await notify.send(number)
    assert len(response.delivery_id) == 26
    assert abs(response.accept_time.seconds - time.time()) < 5
    async with notify.smsc.telephone() as telephone:
        messages = (await telephone.get("/messages", params={"to": number, "wait_s": 5})).json()["messages"]
        assert [message["text"] for message in messages] == [LOGIN_TEXT]
        assert LOGIN_TEXT in (await telephone.get("/", params={"to": number})).text


async def test_the_purpose_and_the_language_choose_the_text(notify: Notify) -> None:
    number = new_number()
    await notify.send(number, purpose=pb.CODE_PURPOSE_TELEPHONE_PROOF)
    await notify.send(number, purpose=pb.CODE_PURPOSE_ACTIVATION, code="K7QD-2MXW-9HTR")
    await notify.send(number, language="en")
    assert notify.smsc.texts(number) == [
        f"【支部】验证码{CODE}，用于核验您填写的手机号码，5分钟内有效。请勿告诉他人。",
        "【支部】您的电子身份证激活码K7QD-2MXW-9HTR，5分钟内有效，只能使用一次。请勿告诉他人。",
        f"(Zhibu) {CODE} is your log-in code. Valid for 5 minutes. Never share it, staff do not ask for it.",
    ]


async def test_the_same_request_sends_one_message(notify: Notify) -> None:
    number, request_id = new_number(), new_ulid()
    first = await notify.send(number, request_id=request_id)
    assert await notify.send(number, request_id=request_id) == first
    assert len(notify.smsc.texts(number)) == 1


async def test_the_same_request_many_times_at_once_sends_one_message(notify: Notify) -> None:
    number, request_id = new_number(), new_ulid()
    notify.smsc.running.faults.change({"submit_delay_s": 0.2})
    outcomes = await asyncio.gather(*(outcome_of(notify.send(number, request_id=request_id)) for _ in range(5)))
    # The others cannot know yet how the first one ends, and are told so.
    assert sorted(outcomes) == ["OK"] + ["SMS_OUTCOME_UNKNOWN"] * 4
    assert len(notify.smsc.texts(number)) == 1
    assert await outcome_of(notify.send(number, request_id=request_id)) == "OK"


@pytest.mark.parametrize("changed", [{"code": "111111"}, {"language": "en"}, {"purpose": pb.CODE_PURPOSE_ACTIVATION}])
async def test_a_request_id_with_another_body_is_refused(notify: Notify, changed: dict[str, object]) -> None:
    number, request_id = new_number(), new_ulid()
    await notify.send(number, request_id=request_id)
    error = await refusal_of(lambda: notify.send(number, request_id=request_id, **changed))  # pyright: ignore[reportArgumentType] - one of send's own
    assert error.reason == "REQUEST_ID_REUSED"
    assert len(notify.smsc.texts(number)) == 1


async def test_throttling_is_waited_out(notify: Notify) -> None:
    number = new_number()
    notify.smsc.running.faults.change({"throttle_submits": 3})
    await notify.send(number)
    assert len(notify.smsc.texts(number)) == 1


async def test_throttling_that_goes_on_is_said_in_bounded_time_and_the_same_request_may_come_again(
    notify: Notify,
) -> None:
    number, request_id = new_number(), new_ulid()
    notify.smsc.running.faults.change({"throttle_submits": 1_000_000})
    started_at_s = time.monotonic()
    error = await refusal_of(lambda: notify.send(number, request_id=request_id))
    assert time.monotonic() - started_at_s < REFUSAL_LIMIT_S
    assert (error.reason, error.code) == ("SMSC_THROTTLED", StatusCode.UNAVAILABLE)
    notify.smsc.running.faults.reset()
    await notify.send(number, request_id=request_id)
    assert len(notify.smsc.texts(number)) == 1


async def test_a_message_centre_that_is_away_is_said_quickly_and_sending_works_when_it_is_back(notify: Notify) -> None:
    number, request_id = new_number(), new_ulid()
    await notify.smsc.stop()
    started_at_s = time.monotonic()
    error = await refusal_of(lambda: notify.send(number, request_id=request_id))
    assert time.monotonic() - started_at_s < REFUSAL_LIMIT_S
    assert (error.reason, error.code) == ("SMSC_UNAVAILABLE", StatusCode.UNAVAILABLE)
    assert error.text("zh-CN") == "短信通道暂时不可用，请稍后再试。"
    await notify.smsc.start()

    async def sent() -> bool:
        return await outcome_of(notify.send(number, request_id=request_id)) == "OK"

    await wait_until(sent, timeout_s=20)
    assert len(notify.smsc.texts(number)) == 1


async def test_a_link_that_breaks_between_two_messages_is_not_noticed_by_callers(notify: Notify) -> None:
    number = new_number()
    await notify.send(number)
    centre = notify.smsc.running
    expected = centre.connection_count + centre.session_count
    centre.drop_sessions()
    # Between the messages, not in the middle of one: what is written into a link that breaks has an unknown outcome.
    await wait_until(lambda: centre.connection_count >= expected)
    await notify.send(number)
    assert len(notify.smsc.texts(number)) == 2


@pytest.mark.parametrize(("fault", "arrived"), [("drop_before_submits", 0), ("drop_after_submits", 1)])
async def test_a_message_centre_killed_in_the_middle_never_leads_to_a_second_message(
    notify: Notify, fault: str, arrived: int
) -> None:
    number, request_id = new_number(), new_ulid()
    notify.smsc.running.faults.change({fault: 1})
    error = await refusal_of(lambda: notify.send(number, request_id=request_id))
    assert (error.reason, error.code) == ("SMS_OUTCOME_UNKNOWN", StatusCode.UNAVAILABLE)
    # The caller repeats: nobody knows whether the first one is on its way, so it is not sent again.
    assert await outcome_of(notify.send(number, request_id=request_id)) == "SMS_OUTCOME_UNKNOWN"
    assert len(notify.smsc.texts(number)) == arrived
    # A new code is a new request, and the link is back.
    await notify.send(number)
    assert len(notify.smsc.texts(number)) == arrived + 1


async def test_a_message_centre_that_never_answers_is_said_in_bounded_time(notify: Notify) -> None:
    notify.smsc.running.faults.change({"silent_submits": True})
    started_at_s = time.monotonic()
    error = await refusal_of(lambda: notify.send(new_number()))
    assert time.monotonic() - started_at_s < REFUSAL_LIMIT_S
    assert error.reason == "SMS_OUTCOME_UNKNOWN"


async def test_the_callers_own_deadline_is_kept(notify: Notify) -> None:
    notify.smsc.running.faults.change({"silent_submits": True})
    error = await refusal_of(lambda: notify.send(new_number(), timeout_s=1.5))
    assert error.reason == "SMS_OUTCOME_UNKNOWN"


async def test_a_number_that_the_message_centre_refuses_is_the_callers_matter(notify: Notify) -> None:
    number = new_number()
    notify.smsc.running.faults.change({"reject_numbers": [number]})
    error = await refusal_of(lambda: notify.send(number))
    assert (error.reason, error.code) == ("SMS_NUMBER_REFUSED", StatusCode.FAILED_PRECONDITION)


async def test_a_fault_of_the_message_centre_is_not_the_numbers(notify: Notify) -> None:
    notify.smsc.running.faults.change({"fail_submits": 1})
    assert await outcome_of(notify.send(new_number())) == "SMSC_UNAVAILABLE"


async def test_a_number_gets_six_codes_in_ten_minutes(notify: Notify) -> None:
    number = new_number()
    for _ in range(6):
        await notify.send(number)
    error = await refusal_of(lambda: notify.send(number))
    assert (error.reason, error.code) == ("SMS_LIMIT_REACHED", StatusCode.RESOURCE_EXHAUSTED)
    assert 590 <= int(error.metadata["wait_s"]) <= 600
    assert len(notify.smsc.texts(number)) == 6
    await notify.send(new_number())


async def test_many_at_once_do_not_pass_the_limit(notify: Notify) -> None:
    number = new_number()
    outcomes = await asyncio.gather(*(outcome_of(notify.send(number)) for _ in range(10)))
    assert sorted(outcomes) == ["OK"] * 6 + ["SMS_LIMIT_REACHED"] * 4


@pytest.mark.parametrize(
    ("receipts", "expected"),
    [
        ("delivered", Outcome.DELIVERED),
        ("duplicated", Outcome.DELIVERED),
        ("undeliverable", Outcome.UNDELIVERED),
        ("none", Outcome.WAITING),
    ],
)
async def test_receipts_say_what_became_of_a_message(
    notify: Notify, database: ServiceDatabase, everything: asyncpg.Connection, receipts: str, expected: Outcome
) -> None:
    notify.smsc.running.faults.change({"receipts": receipts})
    response = await notify.send(new_number())
    own = Database(database.app_url, service="notify")

    async def outcome() -> Outcome | None:
        async with own.transaction(Scope.none()) as transaction:
            return await find_outcome(transaction, response.delivery_id)

    async def has_expected() -> bool:
        return await outcome() is expected

    try:
        await wait_until(has_expected)
        count = await everything.fetchval(
            "select count(*) from delivery_receipt join delivery_part using (smsc_message_id) where delivery_id = $1",
            response.delivery_id,
        )
        assert count == (0 if expected is Outcome.WAITING else 1)
    finally:
        await own.close()


async def test_only_identity_may_send(notify: Notify) -> None:
    request = pb.SendCodeRequest(
        telephone=new_number(), code=CODE, purpose=pb.CODE_PURPOSE_LOGIN, expires_in_s=300, request_id=new_ulid()
    )
    assert await outcome_of(notify.stub.SendCode(request)) == "UNAUTHENTICATED"
    for metadata in (notify.as_service("branches"), bearer(notify.issuer.token("account-of-a-member"))):
        assert await outcome_of(notify.stub.SendCode(request, metadata=metadata)) == "PERMISSION_DENIED"
    assert notify.smsc.texts(request.telephone) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("telephone", "8619900000001"), ("telephone", "29900000001"), ("code", "1"), ("expires_in_s", 29), ("purpose", 0)],
)
async def test_malformed_requests_are_refused_by_field(notify: Notify, field: str, value: object) -> None:
    request = pb.SendCodeRequest(
        telephone=new_number(), code=CODE, purpose=pb.CODE_PURPOSE_LOGIN, expires_in_s=300, request_id=new_ulid()
    )
    setattr(request, field, value)
    error = await refusal_of(lambda: notify.stub.SendCode(request, metadata=notify.as_service()))
    assert (error.reason, [violation.field for violation in error.fields]) == ("INVALID_ARGUMENT", [field])


async def test_neither_code_nor_number_stays_in_logs_or_tables(
    notify: Notify, everything: asyncpg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    code = "739104"
    numbers = [new_number() for _ in range(4)]
    await notify.send(numbers[0], code=code)
    for number, fault in zip(numbers[1:], ("drop_after_submits", "fail_submits", "throttle_submits"), strict=True):
        notify.smsc.running.faults.change({fault: 1})
        await outcome_of(notify.send(number, code=code))
    written = "\n".join(
        f"{record.getMessage()} {record.args} {getattr(record, 'fields', '')} {record.exc_text}"
        for record in caplog.records
    )
    tables = [row[0] for row in await everything.fetch("select tablename from pg_tables where schemaname = 'public'")]
    kept = ""
    for table in tables:
        kept += str(await everything.fetchval(f"select coalesce(string_agg(t::text, chr(10)), '') from {table} t"))
    assert "delivery" in tables
    assert len(kept) > 1000
    for secret in (code, *numbers):
        assert secret not in written
        assert secret not in kept


async def test_a_sent_code_and_a_refused_caller_are_in_the_audit_rows(
    notify: Notify, everything: asyncpg.Connection
) -> None:
    await notify.send(new_number())
    request = pb.SendCodeRequest(
        telephone=new_number(), code=CODE, purpose=pb.CODE_PURPOSE_LOGIN, expires_in_s=300, request_id=new_ulid()
    )
    await outcome_of(notify.stub.SendCode(request, metadata=notify.as_service("branches")))
    rows = await everything.fetch(
        "select action, outcome, reason, service from kit_audit order by occurred_at desc limit 2"
    )
    assert [tuple(row) for row in rows] == [
        ("notify.code.sent", "refused", "PERMISSION_DENIED", "branches"),
        ("notify.code.sent", "done", "", "identity"),
    ]


async def test_other_roles_of_the_database_see_no_delivery(notify: Notify, database: ServiceDatabase) -> None:
    await notify.send(new_number())
    connection: asyncpg.Connection = await asyncpg.connect(database.app_url)
    try:
        assert await connection.fetchval("select exists (select from delivery)") is True
        for role in ("notify_relay", "notify_province"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await _count_as(connection, role)
    finally:
        await connection.close()


async def _count_as(connection: asyncpg.Connection, role: str) -> None:
    async with connection.transaction():
        await connection.execute(f"set local role {role}")
        await connection.fetchval("select count(*) from delivery")
