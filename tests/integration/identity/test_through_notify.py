"""Codes on their real way: identity's side of the call, the service notify, SMPP, a telephone."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
from integration.identity.people_by_hand import RosterPerson, enter_people
from integration.identity.running_identity import Identity
from integration.notify.running_notify import Smsc, new_number
from support.identity_stream import prepare_identity_stream, wait_until_ready
from zhibu_identity.telephones.sending import NotifyTelephones, Purpose
from zhibu_kit.errors import ServiceError
from zhibu_kit.ids import new_ulid
from zhibu_kit.peers import Peers
from zhibu_kit.telemetry import Telemetry
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.services import start_service
from zhibu_kit.testing.waiting import wait_until
from zhibu_notify.__main__ import build
from zhibu_notify.settings import NotifySettings
from zhibu_notify.telephones import TelephoneBook


@pytest.fixture(scope="module")
async def smsc() -> AsyncGenerator[Smsc]:
    smsc = Smsc()
    await smsc.start()
    yield smsc
    await smsc.stop()


@pytest.fixture(scope="module")
async def telephones(service_database: DatabaseMaker, nats: NatsServer, smsc: Smsc) -> AsyncGenerator[NotifyTelephones]:
    await prepare_identity_stream(nats)
    database = await service_database("notify")
    with TokenIssuer() as issuer:
        async with (
            nats.heartbeats(),
            start_service(
                "notify",
                build,
                database=database,
                nats=nats,
                issuer=issuer,
                settings=NotifySettings,
                notify_number_key="7a" * 32,
                notify_smsc_port=smsc.running.smpp_port,
                notify_submit_timeout_s=2.5,
            ) as service,
        ):
            await wait_until_ready(service)

            async def token() -> str:
                return issuer.token("account-of-identity", service="identity")

            peers = Peers({"notify": service.address}, telemetry=Telemetry("identity", sample_ratio=0), token=token)
            yield NotifyTelephones(peers)
            await peers.close()


@pytest.mark.parametrize("purpose", Purpose)
async def test_each_kind_of_code_arrives_on_the_telephone(
    telephones: NotifyTelephones, smsc: Smsc, purpose: Purpose
) -> None:
    number, request_id = new_number(), new_ulid()
    code = "ACDEFGHJKM" if purpose is Purpose.ACTIVATION else "482913"
    for _ in range(2):
        await telephones.send_code(
            number,
            code,
            purpose=purpose,
            language="zh-CN",
            request_id=request_id,
            expires_in=timedelta(days=7) if purpose is Purpose.ACTIVATION else timedelta(minutes=5),
        )
    texts = await wait_until(lambda: smsc.texts(number))
    assert len(texts) == 1
    assert code in texts[0]


async def test_a_number_that_has_had_enough_codes_is_refused_as_one_of_our_errors(
    telephones: NotifyTelephones,
) -> None:
    number = new_number()

    async def send() -> None:
        await telephones.send_code(
            number,
            "482913",
            purpose=Purpose.LOGIN,
            language="zh-CN",
            request_id=new_ulid(),
            expires_in=timedelta(minutes=5),
        )

    for _ in range(6):
        await send()
    with pytest.raises(ServiceError) as refused:
        await send()
    assert refused.value.reason == "SMS_LIMIT_REACHED"


async def test_notify_gets_the_telephones_of_members_from_identity_itself(identity: Identity) -> None:
    people = [RosterPerson() for _ in range(3)]
    await enter_people(identity.parts, people)

    async def token() -> str:
        return identity.issuer.token("account-of-svc-notify", service="notify")

    peers = Peers({"identity": identity.address}, telemetry=Telemetry("notify", sample_ratio=0), token=token)
    try:
        numbers = await TelephoneBook(peers).numbers_of({*(person.member_id for person in people), new_ulid()})
    finally:
        await peers.close()
    assert numbers == {person.member_id: person.telephone for person in people}
