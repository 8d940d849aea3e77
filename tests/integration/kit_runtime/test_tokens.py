"""Tokens: who gets in, who does not, and keys that change while the service runs."""

from collections.abc import Callable

import grpc
import pytest
from joserfc.jwk import RSAKey
from support.rpc import bearer, refusal_of
from zhibu.testing.v1 import probe_service_pb2 as pb
from zhibu_kit.testing.clock import DEFAULT_START, FixedClock
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.probe_service import Probe, start_probe

DEFAULT_START_S = int(DEFAULT_START.timestamp())


async def whoami(probe: Probe, token: str) -> pb.WhoamiResponse:
    return await probe.stub.Whoami(pb.WhoamiRequest(), metadata=bearer(token))


async def test_a_good_token_tells_who_calls(probe: Probe, issuer: TokenIssuer) -> None:
    token = issuer.token("account-1", member_id="member-1", county_code="370724")
    assert await whoami(probe, token) == pb.WhoamiResponse(account_id="account-1", member_id="member-1")
    (call,) = probe.servicer.calls
    assert call.scope.counties == {"370724"}


async def test_tokens_signed_with_an_elliptic_curve_are_good_too(probe: Probe, issuer: TokenIssuer) -> None:
    issuer.rotate(kind="EC")
    assert (await whoami(probe, issuer.token("account-1"))).account_id == "account-1"


async def test_a_missing_token_is_refused(probe: Probe) -> None:
    error = await refusal_of(lambda: probe.stub.Whoami(pb.WhoamiRequest()))
    assert (error.reason, error.code) == ("UNAUTHENTICATED", grpc.StatusCode.UNAUTHENTICATED)


FORGERIES: dict[str, Callable[[TokenIssuer], str]] = {
    "expired": lambda issuer: issuer.token("a", iat=DEFAULT_START_S - 900, exp=DEFAULT_START_S - 600),
    "not valid yet": lambda issuer: issuer.token("a", nbf=DEFAULT_START_S + 600),
    "issued in the future": lambda issuer: issuer.token("a", iat=DEFAULT_START_S + 600, exp=DEFAULT_START_S + 900),
    "without an end": lambda issuer: issuer.token("a", exp=None),
    "without a beginning": lambda issuer: issuer.token("a", iat=None),
    "living for a day": lambda issuer: issuer.token("a", exp=DEFAULT_START_S + 86400),
    "of a foreign realm": lambda issuer: issuer.token("a", iss="http://127.0.0.1:1/realms/other"),
    "for another audience": lambda issuer: issuer.token("a", aud="account"),
    "without an audience": lambda issuer: issuer.token("a", aud=None),
    "without a subject": lambda issuer: issuer.token("a", sub=None),
    "without a client": lambda issuer: issuer.token("a", azp=None),
    "an identity token": lambda issuer: issuer.token("a", typ="ID"),
    "of a client that poses as a service": lambda issuer: issuer.token("a", service="identity", azp="zhibu-web"),
    "unsigned": lambda issuer: issuer.unsigned(issuer.claims("a")),
    "unsigned, spelt otherwise": lambda issuer: issuer.unsigned(issuer.claims("a"), algorithm="NoNe"),
    "unsigned but called RS256": lambda issuer: issuer.unsigned(issuer.claims("a"), algorithm="RS256"),
    "HS256 with the public key": lambda issuer: issuer.signed_with_public_key(issuer.claims("a")),
    "signed by somebody else": lambda issuer: issuer.sign(issuer.claims("a"), key=RSAKey.generate_key(2048)),
    "tampered with": lambda issuer: _tampered(issuer.token("a")),
    "no token at all": lambda _: "hello",
    "of three empty parts": lambda _: "..",
    "far too long": lambda _: "a" * 6500,
}


def _tampered(token: str) -> str:
    header, claims, signature = token.split(".")
    return f"{header}.{claims[:-2]}{'A' if claims[-2] != 'A' else 'B'}{claims[-1]}.{signature}"


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_bad_token_is_refused(probe: Probe, issuer: TokenIssuer, forgery: str) -> None:
    error = await refusal_of(lambda: whoami(probe, FORGERIES[forgery](issuer)))
    assert error.reason == "UNAUTHENTICATED"
    assert probe.servicer.calls == []


async def test_another_scheme_than_bearer_is_refused(probe: Probe) -> None:
    error = await refusal_of(lambda: probe.stub.Whoami(pb.WhoamiRequest(), metadata=(("authorization", "Basic YTpi"),)))
    assert error.reason == "UNAUTHENTICATED"


async def test_a_bad_token_is_refused_even_where_no_token_is_needed(probe: Probe, issuer: TokenIssuer) -> None:
    token = issuer.unsigned(issuer.claims("a"))
    error = await refusal_of(lambda: probe.stub.Echo(pb.EchoRequest(text="hello"), metadata=bearer(token)))
    assert error.reason == "UNAUTHENTICATED"


async def test_keys_rotate_without_a_restart(probe: Probe, issuer: TokenIssuer, clock: FixedClock) -> None:
    await whoami(probe, issuer.token("before"))
    clock.advance(60)
    issuer.rotate(keep_old=True)
    assert (await whoami(probe, issuer.token("after"))).account_id == "after"


async def test_invented_key_ids_do_not_make_the_service_ask_each_time(
    probe: Probe, issuer: TokenIssuer, clock: FixedClock
) -> None:
    await whoami(probe, issuer.token("a"))
    asked = issuer.key_requests
    clock.advance(60)
    for number in range(20):
        error = await refusal_of(lambda: whoami(probe, issuer.sign(issuer.claims("a"), key_id=f"invented-{number}")))  # noqa: B023 - awaited at once
        assert error.reason == "UNAUTHENTICATED"
    assert issuer.key_requests == asked + 1


async def test_a_withdrawn_key_stops_being_good_although_its_tokens_were_verified_before(
    probe: Probe, issuer: TokenIssuer, clock: FixedClock
) -> None:
    clock.advance(-200)
    token = issuer.token("a", exp=int(clock.now().timestamp()) + 3000)
    await whoami(probe, token)
    issuer.rotate(keep_old=False)
    clock.advance(301)
    assert (await refusal_of(lambda: whoami(probe, token))).reason == "UNAUTHENTICATED"


async def test_a_silent_issuer_locks_nobody_out(probe: Probe, issuer: TokenIssuer, clock: FixedClock) -> None:
    await whoami(probe, issuer.token("a"))
    issuer.silent = True
    clock.advance(301)
    assert (await whoami(probe, issuer.token("b"))).account_id == "b"


async def test_without_any_keys_the_answer_is_that_the_service_is_unavailable(issuer: TokenIssuer) -> None:
    issuer.silent = True
    async with start_probe(issuer) as probe:
        assert (await refusal_of(lambda: whoami(probe, issuer.token("a")))).reason == "UNAVAILABLE"


async def test_a_remembered_token_still_expires(probe: Probe, issuer: TokenIssuer, clock: FixedClock) -> None:
    token = issuer.token("a")
    await whoami(probe, token)
    clock.advance(360)
    assert (await refusal_of(lambda: whoami(probe, token))).reason == "UNAUTHENTICATED"
