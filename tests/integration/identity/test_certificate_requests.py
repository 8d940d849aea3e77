"""Certificates that an organisation asks for: signed only when the officer confirms, and by nobody else in the officer's place."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
import zhibu_identity
from cryptography import x509
from integration.identity.officers_and_keys import (
    ask_certificate,
    certificates_of,
    confirm_certificate,
    end_office,
    give_office,
    holder,
    list_certificates,
    my_certificates,
    new_key,
    revoke_certificate,
    signing_request,
)
from integration.identity.people_by_hand import add_organisations_and_officers
from integration.identity.running_identity import (
    CLERK,
    LINQU,
    LINQU_ADMIN,
    OTHER_CLERK,
    PROVINCE,
    PROVINCE_ADMIN,
    QINGZHOU_CLERK,
    Identity,
)
from integration.identity.setting_up import Databases
from integration.identity.test_recovery import confirm as confirm_recovery
from integration.identity.test_recovery import start_replacing
from support.rpc import Metadata, bearer, outcome_of
from zhibu.identity.v1 import certificate_service_pb2 as pb
from zhibu.identity.v1 import eid_pb2
from zhibu.identity.v1 import eid_service_pb2 as eids_pb
from zhibu.identity.v1.identity_events_pb2 import CertificateChanged
from zhibu_identity.certificates.certifying import expire_requests
from zhibu_identity.rules.certificate import CONFIRM_WITHIN
from zhibu_identity.rules.login import LOGIN_HOLDS
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.waiting import wait_until


@pytest.fixture
async def eid(identity: Identity) -> eid_pb2.Eid:
    """The e-ID of an officer at Linqu."""
    eid = await identity.issue()
    await give_office(identity, eid)
    return eid


async def ask(identity: Identity, eid: eid_pb2.Eid) -> pb.Certificate:
    return await ask_certificate(identity, eid.member_id, signing_request(new_key()))


async def refuse(identity: Identity, certificate: pb.Certificate, metadata: Metadata) -> pb.Certificate:
    refused = await certificates_of(identity).RefuseMyCertificate(
        pb.RefuseMyCertificateRequest(
            certificate_id=certificate.certificate_id, etag=certificate.etag, request_id=new_ulid()
        ),
        metadata=metadata,
    )
    return refused.certificate


async def withdraw(
    identity: Identity, certificate: pb.Certificate, *, organisation_id: str = LINQU, metadata: Metadata | None = None
) -> pb.Certificate:
    withdrawn = await certificates_of(identity).WithdrawCertificate(
        pb.WithdrawCertificateRequest(
            organisation_id=organisation_id,
            certificate_id=certificate.certificate_id,
            etag=certificate.etag,
            request_id=new_ulid(),
        ),
        metadata=metadata or identity.officer(LINQU_ADMIN),
    )
    return withdrawn.certificate


async def at_desk(
    identity: Identity, certificate: pb.Certificate, *, organisation_id: str = LINQU
) -> pb.GetCertificateResponse:
    return await certificates_of(identity).GetCertificate(
        pb.GetCertificateRequest(organisation_id=organisation_id, certificate_id=certificate.certificate_id),
        metadata=identity.officer(LINQU_ADMIN if organisation_id == LINQU else PROVINCE_ADMIN),
    )


async def state_at_desk(identity: Identity, certificate: pb.Certificate) -> pb.CertificateState.ValueType:
    return (await at_desk(identity, certificate)).certificate.state


async def signed_count(databases: Databases, member_id: str) -> int:
    rows = await databases.owner.fetch("select from certificate where member_id = $1", member_id)
    return len(rows)


async def told(databases: Databases, certificate: pb.Certificate) -> list[tuple[int, int]]:
    """Return state and version of the events about a certificate."""
    rows = await databases.owner.fetch(
        "select payload from kit_outbox where key = $1 order by version", certificate.certificate_id
    )
    events = [CertificateChanged.FromString(row["payload"]) for row in rows]
    told = {(one.member_id, one.county_code, one.requested_by_member_id) for one in events}
    assert told == {(certificate.member_id, LINQU, certificate.requested_by_member_id)}
    return [(one.state, one.version) for one in events]


async def test_a_desk_only_asks_and_the_holder_has_it_signed(
    identity: Identity, databases: Databases, eid: eid_pb2.Eid
) -> None:
    key = new_key()
    asked = await ask_certificate(identity, eid.member_id, signing_request(key))
    assert asked.state == pb.CERTIFICATE_STATE_WAITING
    assert (asked.serial_number, asked.fingerprint, asked.HasField("end_time")) == ("", "", False)
    assert (asked.organisation_id, asked.requested_by_member_id) == (LINQU, LINQU_ADMIN.member_id)
    assert asked.expire_time.ToDatetime() - asked.request_time.ToDatetime() == timedelta(days=7)
    assert await signed_count(databases, eid.member_id) == 0
    assert (await at_desk(identity, asked)).certificate_pem == ""
    mine = await holder(identity, eid.member_id)
    assert await my_certificates(identity, mine) == [asked]

    issued = await confirm_certificate(identity, asked)
    certificate, authority = x509.load_pem_x509_certificates(issued.certificate_pem.encode())
    certificate.verify_directly_issued_by(authority)
    assert certificate.public_key() == key.public_key()
    assert certificate.subject.rfc4514_string() == f"2.5.4.5={eid.member_id}"
    assert issued.certificate.state == pb.CERTIFICATE_STATE_ISSUED
    assert issued.certificate.key_fingerprint == asked.key_fingerprint
    assert issued.certificate.certificate_id == asked.certificate_id
    desk = await at_desk(identity, asked)
    own = await certificates_of(identity).GetMyCertificate(
        pb.GetMyCertificateRequest(certificate_id=asked.certificate_id), metadata=mine
    )
    assert (desk.certificate, desk.certificate_pem) == (issued.certificate, issued.certificate_pem)
    assert (own.certificate, own.certificate_pem) == (issued.certificate, issued.certificate_pem)

    revoked = await revoke_certificate(identity, desk.certificate)
    assert (revoked.state, revoked.revoked) == (pb.CERTIFICATE_STATE_REVOKED, True)
    assert await told(databases, asked) == [
        (pb.CERTIFICATE_STATE_WAITING, 1),
        (pb.CERTIFICATE_STATE_ISSUED, 2),
        (pb.CERTIFICATE_STATE_REVOKED, 3),
    ]


async def test_everything_about_it_is_in_the_audit_log(
    identity: Identity, databases: Databases, eid: eid_pb2.Eid
) -> None:
    confirmed = await ask(identity, eid)
    await confirm_certificate(identity, confirmed)
    refused = await ask(identity, eid)
    await refuse(identity, refused, await holder(identity, eid.member_id))
    withdrawn = await ask(identity, eid)
    await withdraw(identity, withdrawn)
    ids = [one.certificate_id for one in (confirmed, refused, withdrawn)]
    rows = await databases.owner.fetch(
        "select action, subject_id, member_id from kit_audit where outcome = 'done' and subject_id = any ($1)"
        " order by audit_id",
        [eid.member_id, *ids],
    )
    asked = ("identity.certificate.requested", eid.member_id, LINQU_ADMIN.member_id)
    assert [tuple(row) for row in rows if row["action"].startswith("identity.certificate.")] == [
        asked,
        ("identity.certificate.issued", ids[0], eid.member_id),
        asked,
        ("identity.certificate.refused", ids[1], eid.member_id),
        asked,
        ("identity.certificate.withdrawn", ids[2], LINQU_ADMIN.member_id),
    ]


async def revoke_own(
    identity: Identity,
    certificate: pb.Certificate,
    metadata: Metadata,
    reason: pb.CertificateRevocationReason.ValueType = pb.CERTIFICATE_REVOCATION_REASON_KEY_LOST,
) -> pb.Certificate:
    revoked = await certificates_of(identity).RevokeMyCertificate(
        pb.RevokeMyCertificateRequest(
            certificate_id=certificate.certificate_id, reason=reason, etag=certificate.etag, request_id=new_ulid()
        ),
        metadata=metadata,
    )
    assert revoked.etag == revoked.certificate.etag
    return revoked.certificate


async def test_a_holder_revokes_the_own_certificate_however_old_the_log_in_and_nobody_elses(
    identity: Identity, databases: Databases, eid: eid_pb2.Eid
) -> None:
    asked = await ask(identity, eid)
    mine = await holder(identity, eid.member_id)
    assert await outcome_of(revoke_own(identity, asked, mine)) == "CERTIFICATE_NOT_ISSUED"
    issued = (await confirm_certificate(identity, asked)).certificate
    for stranger in (identity.officer(LINQU_ADMIN), identity.officer(PROVINCE_ADMIN), identity.officer(CLERK)):
        assert await outcome_of(revoke_own(identity, issued, stranger)) == "NOT_FOUND"
    ended = pb.CERTIFICATE_REVOCATION_REASON_OFFICE_ENDED
    assert await outcome_of(revoke_own(identity, issued, mine, ended)) == "INVALID_ARGUMENT"
    assert await outcome_of(revoke_own(identity, asked, mine)) == "ETAG_MISMATCH"
    revoked = await revoke_own(identity, issued, mine)
    assert (revoked.state, revoked.reason) == (
        pb.CERTIFICATE_STATE_REVOKED,
        pb.CERTIFICATE_REVOCATION_REASON_KEY_LOST,
    )
    assert (await at_desk(identity, issued)).certificate == revoked
    # Tokens of this account are refused for a minute, the holder's own too.

    async def is_refused() -> bool:
        return await outcome_of(revoke_own(identity, revoked, mine)) == "UNAUTHENTICATED"

    await wait_until(is_refused)
    rows = await databases.owner.fetch(
        "select member_id from kit_audit where outcome = 'done' and action = 'identity.certificate.revoked' and subject_id = $1",
        issued.certificate_id,
    )
    assert [row["member_id"] for row in rows] == [eid.member_id]


async def test_nobody_confirms_refuses_or_reads_for_somebody_else(
    identity: Identity, databases: Databases, eid: eid_pb2.Eid
) -> None:
    asked = await ask(identity, eid)
    other = await identity.issue()
    await give_office(identity, other, office="security_officer")
    for stranger in (
        identity.officer(LINQU_ADMIN),
        identity.officer(PROVINCE_ADMIN),
        identity.officer(CLERK),
        identity.officer(QINGZHOU_CLERK),
        await holder(identity, other.member_id),
    ):
        assert await outcome_of(confirm_certificate(identity, asked, metadata=stranger)) == "NOT_FOUND"
        assert await outcome_of(refuse(identity, asked, stranger)) == "NOT_FOUND"
        reading = certificates_of(identity).GetMyCertificate(
            pb.GetMyCertificateRequest(certificate_id=asked.certificate_id), metadata=stranger
        )
        assert await outcome_of(reading) == "NOT_FOUND"
        assert asked not in await my_certificates(identity, stranger)
    # An account that is not the living e-ID's, whatever its token says of the member.
    forged = bearer(identity.issuer.token("another-account", member_id=eid.member_id, county_code=LINQU))
    assert await outcome_of(confirm_certificate(identity, asked, metadata=forged)) == "CERTIFICATE_REQUEST_OUTDATED"
    assert await signed_count(databases, eid.member_id) == 0
    assert await state_at_desk(identity, asked) == pb.CERTIFICATE_STATE_WAITING


async def test_an_administrators_own_certificate_takes_the_same_way(identity: Identity) -> None:
    eid = await identity.issue()
    await give_office(identity, eid, office="county_admin")
    mine = await holder(identity, eid.member_id)
    asked = await certificates_of(identity).IssueCertificate(
        pb.IssueCertificateRequest(
            organisation_id=LINQU,
            member_id=eid.member_id,
            signing_request=signing_request(new_key()),
            request_id=new_ulid(),
        ),
        metadata=mine,
    )
    assert (asked.certificate.state, asked.certificate_pem) == (pb.CERTIFICATE_STATE_WAITING, "")
    confirmed = await confirm_certificate(identity, asked.certificate, metadata=mine)
    assert confirmed.certificate.state == pb.CERTIFICATE_STATE_ISSUED


async def test_confirming_wants_a_log_in_of_the_last_ten_minutes_and_refusing_does_not(
    identity: Identity, databases: Databases, eid: eid_pb2.Eid
) -> None:
    asked = await ask(identity, eid)
    long_ago = int((identity.clock.now() - LOGIN_HOLDS).timestamp()) - 1
    for auth_time in (long_ago, None):
        stale = await holder(identity, eid.member_id, auth_time=auth_time)
        assert await outcome_of(confirm_certificate(identity, asked, metadata=stale)) == "LOGIN_TOO_OLD"
    assert await signed_count(databases, eid.member_id) == 0
    refused = await refuse(identity, asked, await holder(identity, eid.member_id, auth_time=long_ago))
    assert refused.state == pb.CERTIFICATE_STATE_REFUSED


async def test_two_confirmations_at_once_sign_one_certificate_and_the_same_one_again_gives_the_same(
    identity: Identity, databases: Databases, eid: eid_pb2.Eid
) -> None:
    asked = await ask(identity, eid)
    outcomes = await asyncio.gather(
        outcome_of(confirm_certificate(identity, asked)), outcome_of(confirm_certificate(identity, asked))
    )
    assert sorted(outcomes) == ["CERTIFICATE_REQUEST_ENDED", "OK"]
    assert await signed_count(databases, eid.member_id) == 1
    second, request_id = await ask(identity, eid), new_ulid()
    first_answer = await confirm_certificate(identity, second, request_id=request_id)
    assert await confirm_certificate(identity, second, request_id=request_id) == first_answer
    assert await signed_count(databases, eid.member_id) == 2


async def test_of_confirming_and_withdrawing_at_once_one_happens(
    identity: Identity, databases: Databases, eid: eid_pb2.Eid
) -> None:
    asked = await ask(identity, eid)
    confirmed, withdrawn = await asyncio.gather(
        outcome_of(confirm_certificate(identity, asked)), outcome_of(withdraw(identity, asked))
    )
    assert sorted((confirmed, withdrawn)) == ["CERTIFICATE_REQUEST_ENDED", "OK"]
    assert await signed_count(databases, eid.member_id) == (1 if confirmed == "OK" else 0)


async def test_the_same_request_sent_twice_is_one_and_another_one_waits_its_turn(
    identity: Identity, eid: eid_pb2.Eid
) -> None:
    request, request_id = signing_request(new_key()), new_ulid()
    first = await ask_certificate(identity, eid.member_id, request, request_id=request_id)
    assert await ask_certificate(identity, eid.member_id, request, request_id=request_id) == first
    assert await outcome_of(ask(identity, eid)) == "CERTIFICATE_REQUEST_OPEN"
    assert len(await list_certificates(identity, eid.member_id)) == 1
    # Another organisation's is another one, but not with the same key.
    above = ask_certificate(identity, eid.member_id, request, issuer=PROVINCE_ADMIN, organisation_id=PROVINCE)
    assert await outcome_of(above) == "CERTIFICATE_KEY_USED"
    assert await outcome_of(withdraw(identity, first)) == "OK"
    assert await outcome_of(ask(identity, eid)) == "OK"


async def test_two_who_ask_at_once_for_the_same_officer_make_one_request(identity: Identity, eid: eid_pb2.Eid) -> None:
    outcomes = await asyncio.gather(*(outcome_of(ask(identity, eid)) for _ in range(2)))
    assert sorted(outcomes) == ["CERTIFICATE_REQUEST_OPEN", "OK"]


@pytest.mark.parametrize("way", ["issued", "refused", "withdrawn", "expired", "revoked"])
async def test_a_key_is_free_again_only_after_a_withdrawal_or_when_time_has_run_out(
    identity: Identity, eid: eid_pb2.Eid, way: str
) -> None:
    request = signing_request(new_key())
    asked = await ask_certificate(identity, eid.member_id, request)
    match way:
        case "issued":
            await confirm_certificate(identity, asked)
        case "revoked":
            await revoke_certificate(identity, (await confirm_certificate(identity, asked)).certificate)
        case "refused":
            await refuse(identity, asked, await holder(identity, eid.member_id))
        case "withdrawn":
            await withdraw(identity, asked)
        case _:
            identity.clock.advance(CONFIRM_WITHIN.total_seconds())
    again = await outcome_of(ask_certificate(identity, eid.member_id, request))
    assert again == ("OK" if way in ("withdrawn", "expired") else "CERTIFICATE_KEY_USED")
    other = await identity.issue()
    await give_office(identity, other)
    assert await outcome_of(ask_certificate(identity, other.member_id, request)) == "CERTIFICATE_KEY_USED"


async def test_what_nobody_confirms_in_seven_days_expires(
    identity: Identity, databases: Databases, eid: eid_pb2.Eid
) -> None:
    asked = await ask(identity, eid)
    identity.clock.advance(CONFIRM_WITHIN.total_seconds() - 1)
    await expire_requests(identity.parts)
    assert await state_at_desk(identity, asked) == pb.CERTIFICATE_STATE_WAITING
    identity.clock.advance(1)
    # At once, before the job has written it down.
    assert await state_at_desk(identity, asked) == pb.CERTIFICATE_STATE_EXPIRED
    assert await outcome_of(confirm_certificate(identity, asked)) == "CERTIFICATE_REQUEST_EXPIRED"
    assert await outcome_of(withdraw(identity, asked)) == "CERTIFICATE_REQUEST_EXPIRED"
    await expire_requests(identity.parts)
    assert await told(databases, asked) == [(pb.CERTIFICATE_STATE_WAITING, 1), (pb.CERTIFICATE_STATE_EXPIRED, 2)]
    assert await outcome_of(confirm_certificate(identity, asked)) == "CERTIFICATE_REQUEST_EXPIRED"
    assert await signed_count(databases, eid.member_id) == 0


async def test_refused_and_withdrawn_requests_say_so_at_the_desk_and_cannot_be_revived(
    identity: Identity, databases: Databases, eid: eid_pb2.Eid
) -> None:
    mine = await holder(identity, eid.member_id)
    refused = await ask(identity, eid)
    await refuse(identity, refused, mine)
    identity.clock.advance(1)
    withdrawn = await ask(identity, eid)
    await withdraw(identity, withdrawn)
    states = [one.state for one in await list_certificates(identity, eid.member_id)]
    assert states == [pb.CERTIFICATE_STATE_WITHDRAWN, pb.CERTIFICATE_STATE_REFUSED]
    for ended in (refused, withdrawn):
        assert await outcome_of(confirm_certificate(identity, ended)) == "CERTIFICATE_REQUEST_ENDED"
        assert await outcome_of(refuse(identity, ended, mine)) == "CERTIFICATE_REQUEST_ENDED"
        assert await outcome_of(withdraw(identity, ended)) == "CERTIFICATE_REQUEST_ENDED"
        assert await outcome_of(revoke_certificate(identity, ended)) == "CERTIFICATE_NOT_ISSUED"
    assert await signed_count(databases, eid.member_id) == 0
    assert await told(databases, refused) == [(pb.CERTIFICATE_STATE_WAITING, 1), (pb.CERTIFICATE_STATE_REFUSED, 2)]


async def test_a_version_that_was_changed_meanwhile_and_another_organisation_are_refused(
    identity: Identity, eid: eid_pb2.Eid
) -> None:
    asked = await ask(identity, eid)
    old = pb.Certificate(certificate_id=asked.certificate_id, member_id=asked.member_id, etag="v9")
    assert await outcome_of(confirm_certificate(identity, old)) == "ETAG_MISMATCH"
    assert await outcome_of(withdraw(identity, old)) == "ETAG_MISMATCH"
    province = identity.officer(PROVINCE_ADMIN)
    assert await outcome_of(withdraw(identity, asked, organisation_id=PROVINCE, metadata=province)) == "NOT_FOUND"
    assert await outcome_of(withdraw(identity, asked, metadata=identity.officer(OTHER_CLERK))) == "PERMISSION_DENIED"
    assert await outcome_of(at_desk(identity, asked, organisation_id=PROVINCE)) == "NOT_FOUND"


async def test_an_office_that_ended_or_another_in_its_place_cannot_be_confirmed_any_more(
    identity: Identity, databases: Databases
) -> None:
    eid = await identity.issue()
    first = await give_office(identity, eid)
    asked = await ask(identity, eid)
    await end_office(identity, first)
    assert await outcome_of(confirm_certificate(identity, asked)) == "CERTIFICATE_REQUEST_OUTDATED"
    await give_office(identity, eid, office="county_clerk")
    assert await outcome_of(confirm_certificate(identity, asked)) == "CERTIFICATE_REQUEST_OUTDATED"
    assert await signed_count(databases, eid.member_id) == 0
    await withdraw(identity, asked)
    assert await outcome_of(confirm_certificate(identity, await ask(identity, eid))) == "OK"


async def test_a_term_that_ran_out_cannot_be_confirmed_any_more(
    identity: Identity, databases: Databases, eid: eid_pb2.Eid
) -> None:
    asked = await ask(identity, eid)
    await databases.owner.execute(
        "update office_grant set ends_at = $2 where member_id = $1", eid.member_id, identity.clock.now()
    )
    assert await outcome_of(confirm_certificate(identity, asked)) == "CERTIFICATE_REQUEST_OUTDATED"


async def test_with_a_replaced_e_id_the_request_is_void_for_the_old_account_and_for_the_new(
    identity: Identity, databases: Databases, eid: eid_pb2.Eid
) -> None:
    await add_organisations_and_officers(databases)
    asked = await ask(identity, eid)
    before = await holder(identity, eid.member_id)
    await confirm_recovery(identity, await start_replacing(identity, eid))
    identity.clock.advance(1)
    after = await holder(identity, eid.member_id)
    assert after != before
    assert await outcome_of(confirm_certificate(identity, asked, metadata=after)) == "CERTIFICATE_REQUEST_OUTDATED"
    old_account = await outcome_of(confirm_certificate(identity, asked, metadata=before))
    assert old_account in ("CERTIFICATE_REQUEST_OUTDATED", "UNAUTHENTICATED")
    assert await signed_count(databases, eid.member_id) == 0


async def test_with_a_revoked_e_id_nothing_is_confirmed(
    identity: Identity, databases: Databases, eid: eid_pb2.Eid
) -> None:
    asked = await ask(identity, eid)
    mine = await holder(identity, eid.member_id)
    await identity.eids.RevokeEid(
        eids_pb.RevokeEidRequest(
            organisation_id=LINQU,
            eid_id=eid.eid_id,
            reason=eid_pb2.REVOCATION_REASON_LEFT,
            etag=(await identity.get_eid(eid.eid_id)).etag,
            request_id=new_ulid(),
        ),
        metadata=identity.officer(LINQU_ADMIN),
    )
    refused = await outcome_of(confirm_certificate(identity, asked, metadata=mine))
    assert refused in ("CERTIFICATE_REQUEST_OUTDATED", "UNAUTHENTICATED")
    assert await signed_count(databases, eid.member_id) == 0


async def test_an_officer_of_the_province_confirms_from_the_county_at_home(identity: Identity) -> None:
    eid = await identity.issue()
    await give_office(identity, eid, office="province_admin", organisation_id=PROVINCE, granter=PROVINCE_ADMIN)
    asked = await ask_certificate(
        identity, eid.member_id, signing_request(new_key()), issuer=PROVINCE_ADMIN, organisation_id=PROVINCE
    )
    issued = await confirm_certificate(identity, asked)
    assert issued.certificate.state == pb.CERTIFICATE_STATE_ISSUED
    assert await my_certificates(identity, await holder(identity, eid.member_id)) == [issued.certificate]


async def test_the_database_takes_no_certificate_that_was_not_confirmed_as_a_process_of_the_last_release_would_write_it(
    identity: Identity, databases: Databases, eid: eid_pb2.Eid
) -> None:
    asked = await ask(identity, eid)
    (request,) = await databases.owner.fetch(
        "select * from certificate_request where certificate_id = $1", asked.certificate_id
    )
    for certificate_id in (new_ulid(), asked.certificate_id):
        with pytest.raises(asyncpg.CheckViolationError):
            await databases.owner.execute(
                "insert into certificate values ($1, $2, $3, $4, $5, $6, 'ab', $7, 'x', now(), now(), null, 0, $8, 1)"
                " on conflict do nothing",
                certificate_id,
                *(request[name] for name in ("county_code", "organisation_id", "member_id", "account_id", "grant_id")),
                request["key_digest"],
                LINQU_ADMIN.member_id,
            )
    # A confirmed request lets its own certificate in, and no other key or member.
    await confirm_certificate(identity, asked)
    assert await signed_count(databases, eid.member_id) == 1


async def test_certificates_of_the_last_release_are_in_the_list_after_the_upgrade(databases: Databases) -> None:
    migration = Path(zhibu_identity.__file__).parents[2] / "migrations" / "0011_certificate_request.sql"
    member_id, grant_id, certificate_id = new_ulid(), new_ulid(), new_ulid()
    undone = databases.owner.transaction()
    await undone.start()
    try:
        await databases.owner.execute(
            "drop table certificate_request; drop trigger only_confirmed on certificate;"
            "drop function refuse_unconfirmed_certificate; drop policy province on certificate"
        )
        await databases.owner.execute(
            "insert into office_grant (grant_id, county_code, organisation_id, member_id, member_county_code, account_id,"
            " office, starts_at, version) values ($1, '37', '37', $2, '370724', 'account', 'province_admin', now(), 1)",
            grant_id,
            member_id,
        )
        await databases.owner.execute(
            "insert into certificate values ($1, '37', '37', $2, 'account', $3, 'ab12', $4, 'x', now(), now(), null, 0,"
            " $5, 4)",
            certificate_id,
            member_id,
            grant_id,
            certificate_id.encode(),
            PROVINCE_ADMIN.member_id,
        )
        # As the role that owns the tables, which policies hold as well.
        await databases.owner.execute("set local role identity_owner")
        await databases.owner.execute(migration.read_text("utf-8"))
        await databases.owner.execute("reset role")
        rows = await databases.owner.fetch(
            "select member_id, state, requested_by_member_id, key_digest from certificate_request"
            " where certificate_id = $1",
            certificate_id,
        )
        assert [tuple(row) for row in rows] == [(member_id, 2, PROVINCE_ADMIN.member_id, certificate_id.encode())]
        forced = await databases.owner.fetchval(
            "select relforcerowsecurity from pg_class where relname = 'certificate'"
        )
        assert forced
    finally:
        await undone.rollback()
