"""Signed cards: the holder gets one, anybody checks it without a network, and a revoked one is found on the list."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
import zxingcpp
from google.protobuf.json_format import MessageToJson
from integration.identity.officers_and_keys import cards_of
from integration.identity.running_identity import CLERK, LINQU, LINQU_ADMIN, PROVINCE_ADMIN, Applicant, Identity
from integration.identity.setting_up import Databases, Workbench
from integration.identity.working_by_hand import approve_by_hand, eids_of, file_by_hand, work_to_the_end
from PIL import Image
from support.rpc import outcome_of, refusal_of
from zhibu.identity.v1 import card_service_pb2 as pb
from zhibu.identity.v1 import eid_pb2
from zhibu.identity.v1 import eid_service_pb2 as eids_pb
from zhibu_card.checking import CardRefusedError, Refusal, check_card
from zhibu_card.code import Card
from zhibu_card.keys import read_keys, read_revocations
from zhibu_identity.cards.signed import list_revoked_cards, purge_cards, sign_card_of
from zhibu_identity.eids.records import RevocationReason
from zhibu_identity.eids.revoking import revoke_eid
from zhibu_identity.keys.signing import PUBLISHED_BEFORE, SIGNS_FOR
from zhibu_kit.errors import ServiceError
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope


async def code_of(identity: Identity, eid: eid_pb2.Eid) -> str:
    got = await cards_of(identity).GetMyCardCode(pb.GetMyCardCodeRequest(), metadata=identity.member(eid))
    return got.card_code


async def kept_files(identity: Identity) -> tuple[str, str]:
    """Return what somebody at a door has fetched: keys and list of revocations, as JSON."""
    keys = await cards_of(identity).ListCardKeys(pb.ListCardKeysRequest())
    revoked = await cards_of(identity).ListRevokedCards(pb.ListRevokedCardsRequest())
    return (
        MessageToJson(keys),
        MessageToJson(revoked),
    )


async def check(identity: Identity, code: str) -> Card:
    """Check a code as `zhibuctl card check` does."""
    keys, revoked = await kept_files(identity)
    return check_card(code, keys=read_keys(keys), now=identity.clock.now(), revoked_digests=read_revocations(revoked))


async def test_a_holders_card_says_who_they_are_and_nothing_that_a_door_does_not_need(identity: Identity) -> None:
    applicant = Applicant(real_name="阿卜杜拉·买买提")
    eid = await identity.issue(applicant)
    code = await code_of(identity, eid)
    card = await check(identity, code)
    assert (card.real_name, card.county_code, card.county_name) == ("阿卜杜拉·买买提", LINQU, "临朐县")
    assert card.number_end == eid.eid_number[-4:]
    assert card.expires_at - card.issued_at == timedelta(days=365)
    assert applicant.resident_number not in code
    # Asked again it is the same card, not one more to keep track of.
    assert await code_of(identity, eid) == code


async def test_the_picture_carries_the_code_and_the_document_can_be_printed(identity: Identity) -> None:
    eid = await identity.issue()
    picture = await identity.eids.GetMyCard(eids_pb.GetMyCardRequest(), metadata=identity.member(eid))
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture.data)))
    assert found.text == await code_of(identity, eid)
    document = await cards_of(identity).GetMySignedCard(pb.GetMySignedCardRequest(), metadata=identity.member(eid))
    assert document.content_type == "application/pdf"
    assert document.data.startswith(b"%PDF-")


async def test_a_card_is_the_holders_own(identity: Identity) -> None:
    unknown = [
        lambda: cards_of(identity).GetMyCardCode(pb.GetMyCardCodeRequest(), metadata=identity.officer(CLERK)),
        lambda: cards_of(identity).GetMySignedCard(
            pb.GetMySignedCardRequest(), metadata=identity.officer(PROVINCE_ADMIN)
        ),
    ]
    assert {(await refusal_of(call)).reason for call in unknown} == {"NOT_FOUND"}
    nobody = await outcome_of(cards_of(identity).GetMyCardCode(pb.GetMyCardCodeRequest()))
    assert nobody == "UNAUTHENTICATED"


async def test_a_revoked_e_ids_card_is_on_the_list_and_its_digest_names_nobody(
    identity: Identity, databases: Databases
) -> None:
    eid = await identity.issue()
    code = await code_of(identity, eid)
    before = identity.clock.now()
    await identity.eids.RevokeEid(
        eids_pb.RevokeEidRequest(
            organisation_id=LINQU,
            eid_id=eid.eid_id,
            reason=eid_pb2.REVOCATION_REASON_LEFT,
            etag=eid.etag,
            request_id=new_ulid(),
        ),
        metadata=identity.officer(LINQU_ADMIN),
    )
    with pytest.raises(CardRefusedError) as refused:
        await check(identity, code)
    assert refused.value.reason is Refusal.REVOKED
    assert refused.value.card is not None
    listed = await cards_of(identity).ListRevokedCards(pb.ListRevokedCardsRequest(since_time=before.isoformat()))
    assert refused.value.card.digest in listed.revoked_card_digests
    assert listed.next_since_time == ""
    later = await cards_of(identity).ListRevokedCards(
        pb.ListRevokedCardsRequest(since_time=(before + timedelta(days=1)).isoformat())
    )
    assert list(later.revoked_card_digests) == []
    columns = await databases.owner.fetch(
        "select column_name from information_schema.columns where table_name = 'card_revocation'"
    )
    assert {row["column_name"] for row in columns} == {"card_digest", "revoked_at", "expires_at"}


@pytest.mark.parametrize("since", ["yesterday", "2026-11-23T08:00:00", "2026-99-01T00:00:00Z"])
async def test_an_instant_that_is_none_is_refused_as_such(identity: Identity, since: str) -> None:
    error = await refusal_of(lambda: cards_of(identity).ListRevokedCards(pb.ListRevokedCardsRequest(since_time=since)))
    assert [(field.field, field.reason) for field in error.fields] == [("since_time", "SINCE_UNREADABLE")]


async def test_the_public_keys_hold_no_private_half(identity: Identity, databases: Databases) -> None:
    await identity.issue()
    keys, _ = await kept_files(identity)
    rows = await databases.keys_owner.fetch("select wrapped, public from signing_key where purpose = 1")
    assert len(rows) == len(read_keys(keys)) == 1
    # A seed of 32 bytes, wrapped with nonce and tag.
    assert len(rows[0]["wrapped"]) == 12 + 32 + 16


async def test_keys_change_every_year_are_known_a_month_before_and_old_cards_stay_good(workbench: Workbench) -> None:
    application = await approve_by_hand(workbench, await file_by_hand(workbench))
    await work_to_the_end(workbench)
    (record,) = await eids_of(workbench, application)
    signing, clock = workbench.vault.signing, workbench.clock
    first = await sign_card_of(workbench.parts, record)
    began = clock.now()
    clock.advance((SIGNS_FOR - PUBLISHED_BEFORE).total_seconds())
    announced = await signing.list_card_keys(now=clock.now())
    assert [key.not_before > clock.now() for key in announced] == [True, False]
    assert (await signing.card_signer(now=clock.now())).key_id == announced[1].key_id
    clock.advance(PUBLISHED_BEFORE.total_seconds())
    second = await sign_card_of(workbench.parts, record)
    assert second.code != first.code
    assert (await signing.card_signer(now=clock.now())).key_id == announced[0].key_id
    clock.advance(timedelta(days=2).total_seconds())
    await signing.destroy_old_keys(now=clock.now())
    rows = await workbench.databases.keys_owner.fetch(
        "select wrapped is null as gone from signing_key where purpose = 1 order by not_before"
    )
    assert [row["gone"] for row in rows] == [True, False]
    assert (await signing.list_card_keys(now=began + timedelta(days=364)))[1].public == announced[1].public
    revoked = await list_revoked_cards(workbench.parts.database, since=None, now=clock.now())
    assert revoked.digests == []
    clock.advance(timedelta(days=366).total_seconds())
    await purge_cards(workbench.parts.database, now=clock.now())
    assert await workbench.databases.owner.fetchval("select count(*) from card") == 0


async def test_a_card_whose_words_are_no_longer_so_is_revoked_and_made_anew(workbench: Workbench) -> None:
    application = await approve_by_hand(workbench, await file_by_hand(workbench))
    await work_to_the_end(workbench)
    (record,) = await eids_of(workbench, application)
    before = await sign_card_of(workbench.parts, record)
    await workbench.databases.owner.execute(
        "update kit_organisation set name = '临朐市' where organisation_id = $1", LINQU
    )
    try:
        after = await sign_card_of(workbench.parts, record)
    finally:
        await workbench.databases.owner.execute(
            "update kit_organisation set name = '临朐县' where organisation_id = $1", LINQU
        )
    assert (before.card.county_name, after.card.county_name) == ("临朐县", "临朐市")
    revoked = await list_revoked_cards(workbench.parts.database, since=None, now=workbench.clock.now())
    assert revoked.digests == [before.card.digest]


async def test_who_asked_a_moment_before_the_revocation_gets_no_card_after_it(workbench: Workbench) -> None:
    application = await approve_by_hand(workbench, await file_by_hand(workbench))
    await work_to_the_end(workbench)
    (seen_before,) = await eids_of(workbench, application)
    async with workbench.parts.database.transaction(Scope.of(LINQU)) as transaction:
        await revoke_eid(transaction, workbench.parts, seen_before, reason=RevocationReason.COMPROMISED, note=None)
    with pytest.raises(ServiceError) as refused:
        await sign_card_of(workbench.parts, seen_before)
    assert refused.value.reason == "NOT_FOUND"
    assert await workbench.databases.owner.fetchval("select count(*) from card") == 0


async def test_the_list_of_revoked_cards_is_paged_by_the_instant(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zhibu_identity.cards.signed.MOST_DIGESTS", 2)
    now = workbench.clock.now()
    for number in range(5):
        await workbench.databases.owner.execute(
            "insert into card_revocation values ($1, $2, $3)",
            bytes([number]) * 32,
            now + timedelta(seconds=number),
            now + timedelta(days=9),
        )
    seen: list[str] = []
    since: datetime | None = datetime(2026, 1, 1, tzinfo=UTC)
    while since is not None:
        page = await list_revoked_cards(workbench.parts.database, since=since, now=now + timedelta(minutes=5))
        seen += page.digests
        since = page.next_since
    assert list(dict.fromkeys(seen)) == [bytes([number]).hex() * 32 for number in range(5)]
