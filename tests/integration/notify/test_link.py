"""The link to a message centre: real SMPP 3.4 over loopback, with its failures."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest
import smpp34
from support.metrics_text import undeclared_in, value_of
from zhibu_kit.telemetry import Telemetry
from zhibu_kit.testing.waiting import wait_until
from zhibu_notify.figures import SUBMISSIONS
from zhibu_notify.rules import Segment, segments_of
from zhibu_notify.smpp.link import (
    LinkDownError,
    LinkSettings,
    OutcomeUnknownError,
    RefusedError,
    SmscLink,
    ThrottledError,
)
from zhibu_notify.smpp.receipts import Receipt
from zhibu_smsc.server import MessageCentre, Settings, running_message_centre

_NUMBER = "19900000001"
_EVENT_TIMEOUT_S = 30
_WHOLE = segments_of("【支部】登录验证码482913", reference=1)[0]


@pytest.fixture
async def centre() -> AsyncGenerator[MessageCentre]:
    async with running_message_centre(Settings(smpp_port=0, web_port=0)) as centre:
        yield centre


@asynccontextmanager
async def _running(link: SmscLink) -> AsyncGenerator[SmscLink]:
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.wait([task])


def _settings(port: int, **changes: object) -> LinkSettings:
    wanted: dict[str, object] = {
        "host": "127.0.0.1",
        "port": port,
        "system_id": "zhibu",
        "password": "zhibu",
        "source_address": "10690000",
        **changes,
    }
    return LinkSettings(**wanted)  # pyright: ignore[reportArgumentType] - keywords are collected from each test.


class _Receipts:
    def __init__(self) -> None:
        self.queue: asyncio.Queue[Receipt] = asyncio.Queue()
        self.accept: Callable[[Receipt], bool] = lambda _: True

    async def __call__(self, receipt: Receipt) -> bool:
        await self.queue.put(receipt)
        return self.accept(receipt)

    async def next(self) -> Receipt:
        return await asyncio.wait_for(self.queue.get(), _EVENT_TIMEOUT_S)


@pytest.fixture
def receipts() -> _Receipts:
    return _Receipts()


@pytest.fixture
async def link(centre: MessageCentre, receipts: _Receipts) -> AsyncGenerator[SmscLink]:
    async with _running(SmscLink(_settings(centre.smpp_port), on_receipt=receipts)) as link:
        await link.wait_bound(timeout_s=_EVENT_TIMEOUT_S)
        yield link


async def _submit(link: SmscLink, segment: Segment = _WHOLE, timeout_s: float = _EVENT_TIMEOUT_S) -> str:
    return await link.submit(segment, number=_NUMBER, validity_period="000000000500000R", timeout_s=timeout_s)


async def test_a_message_arrives_and_its_receipt_comes_back(
    centre: MessageCentre, link: SmscLink, receipts: _Receipts
) -> None:
    message_id = await _submit(link)
    assert await receipts.next() == Receipt(message_id=message_id, delivered=True)
    (message,) = centre.inbox.list_messages(to=_NUMBER)
    assert (message.text, message.sender, message.segments) == ("【支部】登录验证码482913", "10690000", 1)


async def test_a_long_text_with_rare_characters_arrives_whole(centre: MessageCentre, link: SmscLink) -> None:
    text = "【支部】" + "𠮷林省的阿卜杜拉·买买提同志：" * 12
    for segment in segments_of(text, reference=77):
        await _submit(link, segment)
    (message,) = centre.inbox.list_messages(to=_NUMBER)
    assert (message.text, message.segments) == (text, 3)


async def test_an_undeliverable_message_is_reported(centre: MessageCentre, link: SmscLink, receipts: _Receipts) -> None:
    centre.faults.change({"receipts": "undeliverable"})
    message_id = await _submit(link)
    assert await receipts.next() == Receipt(message_id=message_id, delivered=False)


async def test_throttling_says_that_nothing_was_sent(centre: MessageCentre, link: SmscLink) -> None:
    centre.faults.change({"throttle_submits": 1})
    with pytest.raises(ThrottledError):
        await _submit(link)
    assert centre.inbox.list_messages() == []


async def test_a_refused_number_is_told_from_other_refusals(centre: MessageCentre, link: SmscLink) -> None:
    centre.faults.change({"reject_numbers": [_NUMBER]})
    with pytest.raises(RefusedError) as number_refused:
        await _submit(link)
    centre.faults.change({"reject_numbers": [], "fail_submits": 1})
    with pytest.raises(RefusedError) as system_failed:
        await _submit(link)
    assert (number_refused.value.number_at_fault, system_failed.value.number_at_fault) == (True, False)


async def test_a_link_cut_in_the_middle_leaves_the_outcome_unknown_and_comes_back(
    centre: MessageCentre, link: SmscLink
) -> None:
    centre.faults.change({"drop_after_submits": 1})
    with pytest.raises(OutcomeUnknownError):
        await _submit(link)
    await link.wait_bound(timeout_s=_EVENT_TIMEOUT_S)
    await _submit(link)
    assert len(centre.inbox.list_messages()) == 2


async def test_a_silent_message_centre_leaves_the_outcome_unknown_in_bounded_time(
    centre: MessageCentre, link: SmscLink
) -> None:
    centre.faults.change({"silent_submits": True})
    with pytest.raises(OutcomeUnknownError):
        await _submit(link, timeout_s=0.2)


async def test_a_slow_answer_blocks_the_window_and_no_longer(centre: MessageCentre, receipts: _Receipts) -> None:
    centre.faults.change({"submit_delay_s": 1.0})
    async with _running(SmscLink(_settings(centre.smpp_port, window=1), on_receipt=receipts)) as link:
        await link.wait_bound(timeout_s=_EVENT_TIMEOUT_S)
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(_submit(link))
            assert await centre.inbox.wait_messages(timeout_s=_EVENT_TIMEOUT_S)
            with pytest.raises(LinkDownError, match="window"):
                await _submit(link, timeout_s=0.2)
        assert first.result()


async def test_a_dead_link_is_noticed_by_its_silence(centre: MessageCentre, receipts: _Receipts) -> None:
    settings = _settings(centre.smpp_port, enquire_interval_s=0.05, enquire_timeout_s=0.1)
    async with _running(SmscLink(settings, on_receipt=receipts)) as link:
        await link.wait_bound(timeout_s=_EVENT_TIMEOUT_S)
        centre.faults.change({"silent_enquire_links": True, "refuse_bind": True})
        await wait_until(lambda: "0x0000000d" in link.last_failure)
        assert not link.is_bound
        centre.faults.reset()
        await link.wait_bound(timeout_s=_EVENT_TIMEOUT_S)


async def test_a_message_centre_that_is_away_is_said_quickly(receipts: _Receipts) -> None:
    async with running_message_centre(Settings(smpp_port=0, web_port=0)) as centre:
        port = centre.smpp_port
    async with _running(SmscLink(_settings(port), on_receipt=receipts)) as link:
        with pytest.raises(LinkDownError, match="ConnectionRefused"):
            await link.wait_bound(timeout_s=0.5)
        with pytest.raises(LinkDownError):
            await _submit(link)
        async with running_message_centre(Settings(smpp_port=port, web_port=0)) as centre:
            await link.wait_bound(timeout_s=_EVENT_TIMEOUT_S)
            await _submit(link)
            assert len(centre.inbox.list_messages()) == 1


async def test_a_wrong_password_is_named_as_the_reason(centre: MessageCentre, receipts: _Receipts) -> None:
    async with _running(SmscLink(_settings(centre.smpp_port, password="other"), on_receipt=receipts)) as link:
        with pytest.raises(LinkDownError, match="0x0000000e"):
            await link.wait_bound(timeout_s=0.5)


async def test_many_messages_at_once_all_arrive(centre: MessageCentre, link: SmscLink, receipts: _Receipts) -> None:
    async with asyncio.TaskGroup() as tasks:
        submits = [tasks.create_task(_submit(link)) for _ in range(100)]
    message_ids = {submit.result() for submit in submits}
    assert len(message_ids) == 100
    assert {(await receipts.next()).message_id for _ in range(100)} == message_ids
    assert len(centre.inbox.list_messages()) == 100


async def test_an_independent_message_centre_understands_us(receipts: _Receipts) -> None:
    async with running_message_centre(Settings(smpp_port=0, web_port=0)) as free:
        port = free.smpp_port
    server = smpp34.Server(host="127.0.0.1", port=port, system_id="other")
    await server.start()
    try:
        async with _running(SmscLink(_settings(port), on_receipt=receipts)) as link:
            esme = await asyncio.wait_for(server.next(), _EVENT_TIMEOUT_S)
            assert isinstance(esme, smpp34.Esme)
            await link.wait_bound(timeout_s=_EVENT_TIMEOUT_S)
            async with asyncio.TaskGroup() as tasks:
                submitting = tasks.create_task(_submit(link))
                event = await asyncio.wait_for(server.next(), _EVENT_TIMEOUT_S)
                assert isinstance(event, smpp34.SubmitSmEvent)
                assert (event.destination_addr, event.dest_addr_ton, event.data_coding, event.registered_delivery) == (
                    f"86{_NUMBER}",
                    1,
                    8,
                    1,
                )
                assert event.short_message.decode("utf-16-be") == "【支部】登录验证码482913"
                event.accept("abc-1")
            assert submitting.result() == "abc-1"
            await esme.deliver_sm(
                "10690000",
                b"id:abc-1 sub:001 dlvrd:001 submit date:2611231200 done date:2611231200 stat:DELIVRD err:000 text:",
                source_addr=f"86{_NUMBER}",
                esm_class=0x04,
            )
            assert await receipts.next() == Receipt(message_id="abc-1", delivered=True)
    finally:
        await server.stop()


async def test_how_long_the_message_centre_takes_is_measured_by_what_came_of_it(
    centre: MessageCentre, link: SmscLink
) -> None:
    telemetry = Telemetry("notify", sample_ratio=0.0)
    link.measure(telemetry.durations(SUBMISSIONS), session="codes")
    await _submit(link)
    centre.faults.change({"throttle_submits": 1})
    with pytest.raises(ThrottledError):
        await _submit(link)
    text = telemetry.render_metrics().decode()
    for outcome in ("accepted", "throttled"):
        labels = {"session": "codes", "outcome": outcome}
        assert value_of(text, "zhibu_smsc_duration_seconds_count", **labels) == 1
    assert undeclared_in(text) == []
