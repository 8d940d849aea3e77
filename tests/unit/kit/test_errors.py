"""Error kinds, their texts, and their way over the wire and back."""

import grpc.aio
import pytest
from grpc import StatusCode
from zhibu_kit.errors import (
    INVALID_ARGUMENT,
    NOT_FOUND,
    PERMISSION_DENIED,
    ErrorKind,
    FieldViolation,
    ServiceError,
    catalogue,
    declare_noun,
    field_error,
    find_kind,
)
from zhibu_kit.status import error_of, status_of, trailers_of

TRIED_TOO_OFTEN = ErrorKind(
    reason="KIT_TEST_TRIED_TOO_OFTEN",
    code=StatusCode.FAILED_PRECONDITION,
    zh="已尝试 {count} 次。",
    en="Tried {count} times already.",
)


def over_the_wire(error: ServiceError, *, language: str = "zh-CN") -> ServiceError:
    status = status_of(error, language=language)
    return error_of(rpc_error(error.code, grpc.aio.Metadata(*trailers_of(status)), details=status.message))


def rpc_error(
    code: StatusCode, trailers: grpc.aio.Metadata | None = None, *, details: str = ""
) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailers or grpc.aio.Metadata(), details, "")


def test_a_text_is_filled_from_the_metadata_in_both_languages() -> None:
    error = TRIED_TOO_OFTEN(count="3")
    assert (error.text("zh-CN"), error.text("en")) == ("已尝试 3 次。", "Tried 3 times already.")


def test_a_forgotten_placeholder_does_not_break_the_answer() -> None:
    assert TRIED_TOO_OFTEN().text("en") == "Tried … times already."


def test_nouns_read_as_declared_and_unknown_ones_as_a_record() -> None:
    declare_noun("kit-test-noun", zh="申请", en="application")
    assert NOT_FOUND(noun="kit-test-noun").text("zh-CN") == "没有找到这条申请。"
    assert NOT_FOUND(noun="kit-test-noun").text("en") == "There is no such application."
    assert NOT_FOUND(noun="unheard-of").text("zh-CN") == "没有找到这条记录。"
    assert NOT_FOUND().text("en") == "There is no such record."


def test_a_declared_kind_is_in_the_catalogue() -> None:
    assert catalogue()["KIT_TEST_TRIED_TOO_OFTEN"] is TRIED_TOO_OFTEN
    assert list(catalogue()) == sorted(catalogue())


def test_one_reason_cannot_mean_two_things() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        ErrorKind(reason="NOT_FOUND", code=StatusCode.NOT_FOUND, zh="别的", en="other")


@pytest.mark.parametrize("reason", ["", "not found", "notFound", "9LIVES"])
def test_a_reason_is_written_in_capitals(reason: str) -> None:
    with pytest.raises(ValueError, match="is no reason"):
        ErrorKind(reason=reason, code=StatusCode.NOT_FOUND, zh="", en="")


def test_of_is_the_same_as_calling_the_kind() -> None:
    one, other = ServiceError.of(NOT_FOUND, noun="record"), NOT_FOUND(noun="record")
    assert (one.kind, one.metadata) == (other.kind, other.metadata)


def test_an_error_comes_back_from_the_wire_as_it_was() -> None:
    received = over_the_wire(TRIED_TOO_OFTEN(count="3"), language="en")
    assert received.kind is TRIED_TOO_OFTEN
    assert (received.metadata, received.text("en")) == ({"count": "3"}, "Tried 3 times already.")


def test_field_violations_come_back_from_the_wire() -> None:
    received = over_the_wire(field_error("person.name", TRIED_TOO_OFTEN, count="2"))
    assert received.kind is INVALID_ARGUMENT
    assert received.fields == (
        FieldViolation(field="person.name", reason="KIT_TEST_TRIED_TOO_OFTEN", zh="已尝试 2 次。", en="已尝试 2 次。"),
    )


def test_a_kind_that_only_the_peer_knows_keeps_reason_code_and_text_without_entering_the_catalogue() -> None:
    foreign = ErrorKind.received("PEER_ONLY", StatusCode.ABORTED, "只有对方知道。")
    received = over_the_wire(ServiceError(foreign))
    assert (received.reason, received.code, received.text("zh-CN")) == (
        "PEER_ONLY",
        StatusCode.ABORTED,
        "只有对方知道。",
    )
    assert find_kind("PEER_ONLY") is None


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (StatusCode.UNAVAILABLE, "UNAVAILABLE"),
        (StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"),
        (StatusCode.UNKNOWN, "INTERNAL"),
        (StatusCode.INTERNAL, "INTERNAL"),
        (StatusCode.PERMISSION_DENIED, "INTERNAL"),
    ],
)
def test_a_refusal_without_our_details_says_only_what_can_be_known(code: StatusCode, reason: str) -> None:
    error = error_of(rpc_error(code, details="secret of the peer"))
    assert error.reason == reason
    assert "secret" not in error.text("en")


def test_broken_details_are_taken_for_none() -> None:
    trailers = grpc.aio.Metadata(("grpc-status-details-bin", b"\xff\xff\xff"))
    error = error_of(rpc_error(StatusCode.UNAVAILABLE, trailers))
    assert error.reason == "UNAVAILABLE"


def test_the_string_of_an_error_has_no_texts_in_it() -> None:
    assert str(PERMISSION_DENIED(name="张三")) == "PERMISSION_DENIED"
