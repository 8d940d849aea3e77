"""The message centre against an independent implementation of SMPP 3.4 (smpp34)."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest
import smpp34
from zhibu_smsc.server import MessageCentre, Settings, StartError, running_message_centre

_NUMBER = "19900000001"
_EVENT_TIMEOUT_S = 5


@pytest.fixture
async def esme(centre: MessageCentre) -> AsyncGenerator[smpp34.Smsc]:
    client = smpp34.Client(
        host="127.0.0.1", port=centre.smpp_port, system_id="zhibu", password="zhibu", bind_type="TRX"
    )
    smsc = await client.connect()
    yield smsc
    await client.stop()


async def _submit(esme: smpp34.Smsc, text: str = "验证码 482913") -> smpp34.SubmitSmResp:
    return await esme.submit_sm(
        f"86{_NUMBER}",
        text.encode("utf-16-be"),
        source_addr="10690",
        data_coding=8,
        dest_addr_ton=1,
        dest_addr_npi=1,
        registered_delivery=1,
    )


async def _next_receipt(esme: smpp34.Smsc) -> bytes:
    event = await asyncio.wait_for(esme.next(), _EVENT_TIMEOUT_S)
    assert isinstance(event, smpp34.DeliverSmEvent)
    assert event.esm_class == 0x04
    return event.short_message


async def test_a_submitted_message_arrives_and_its_receipt_comes_back(
    esme: smpp34.Smsc, page: httpx.AsyncClient
) -> None:
    answer = await _submit(esme, "𠮷先生的验证码 482913")
    assert answer.is_success
    receipt = await _next_receipt(esme)
    assert receipt.startswith(f"id:{answer.message_id} ".encode())
    assert b"stat:DELIVRD" in receipt
    assert b"482913" not in receipt
    messages = (await page.get("/messages", params={"to": _NUMBER})).json()["messages"]
    assert [message["text"] for message in messages] == ["𠮷先生的验证码 482913"]
    assert (await page.get("/messages", params={"to": "19900000002"})).json() == {"messages": []}


async def test_a_throttled_submit_does_not_arrive(
    centre: MessageCentre, esme: smpp34.Smsc, page: httpx.AsyncClient
) -> None:
    await page.patch("/control", json={"throttle_submits": 1})
    assert (await _submit(esme)).command_status == 0x58
    assert centre.inbox.list_messages() == []
    assert (await _submit(esme)).is_success


async def test_a_rejected_number_is_an_invalid_destination(
    centre: MessageCentre, esme: smpp34.Smsc, page: httpx.AsyncClient
) -> None:
    await page.patch("/control", json={"reject_numbers": [_NUMBER]})
    assert (await _submit(esme)).command_status == 0x0B
    assert centre.inbox.list_messages() == []


@pytest.mark.parametrize(("fault", "arrived"), [("drop_before_submits", 0), ("drop_after_submits", 1)])
async def test_a_dropped_connection_leaves_the_submit_without_an_answer(
    centre: MessageCentre, esme: smpp34.Smsc, fault: str, arrived: int
) -> None:
    centre.faults.change({fault: 1})
    with pytest.raises(smpp34.SmppError):
        await asyncio.wait_for(_submit(esme), _EVENT_TIMEOUT_S)
    assert len(centre.inbox.list_messages()) == arrived


async def test_receipts_can_come_more_than_once(centre: MessageCentre, esme: smpp34.Smsc) -> None:
    centre.faults.change({"receipts": "duplicated"})
    await _submit(esme)
    assert len({await _next_receipt(esme), await _next_receipt(esme), await _next_receipt(esme)}) == 1


async def test_a_wrong_password_does_not_bind(centre: MessageCentre) -> None:
    client = smpp34.Client(
        host="127.0.0.1", port=centre.smpp_port, system_id="zhibu", password="other", connect_timeout_ms=500
    )
    with pytest.raises(smpp34.SmppError):
        await client.connect()
    await client.stop()


async def test_garbage_ends_the_session_and_not_the_message_centre(centre: MessageCentre, esme: smpp34.Smsc) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", centre.smpp_port)
    writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await asyncio.wait_for(reader.read(), _EVENT_TIMEOUT_S)
    writer.close()
    await writer.wait_closed()
    assert (await _submit(esme)).is_success


async def test_a_reader_that_waits_is_woken_by_the_message(esme: smpp34.Smsc, page: httpx.AsyncClient) -> None:
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(page.get("/messages", params={"to": _NUMBER, "wait_s": 10}))
        await _submit(esme)
    assert len(waiting.result().json()["messages"]) == 1


async def test_the_event_stream_announces_each_message(esme: smpp34.Smsc, page: httpx.AsyncClient) -> None:
    async with page.stream("GET", "/messages/stream") as answer:
        lines = answer.aiter_lines()
        while await anext(lines) != "data: 0":
            pass
        await _submit(esme)
        async with asyncio.timeout(_EVENT_TIMEOUT_S):
            while await anext(lines) != "data: 1":
                pass


async def test_a_port_in_use_is_said_in_one_sentence(centre: MessageCentre) -> None:
    with pytest.raises(StartError, match=f"Port {centre.smpp_port} "):
        async with running_message_centre(Settings(smpp_port=centre.smpp_port, web_port=0)):
            pass


async def test_other_addresses_than_loopback_are_refused() -> None:
    with pytest.raises(StartError, match="loopback"):
        async with running_message_centre(Settings(host="0.0.0.0", smpp_port=0, web_port=0)):
            pass
