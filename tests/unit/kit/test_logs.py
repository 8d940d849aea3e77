"""Log lines: one JSON object each, with the call they belong to and nothing of the data."""

import logging
from typing import Any

import orjson
from zhibu_kit import context
from zhibu_kit.context import CallContext
from zhibu_kit.logs import JsonFormatter


def line_of(record_of: logging.LogRecord, **options: bool) -> dict[str, Any]:
    text = JsonFormatter("testing", **options).format(record_of)
    assert "\n" not in text
    return orjson.loads(text)


def record(error: BaseException | None = None, **fields: object) -> logging.LogRecord:
    exc_info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("zhibu.test", logging.INFO, "file.py", 1, "一行\n两行", None, exc_info)
    made.fields = fields
    return made


def caught(error: BaseException) -> BaseException:
    try:
        raise error  # noqa: TRY301 - raised to be caught, with the place where that was
    except BaseException as raised:  # noqa: BLE001 - any will do
        return raised


def test_a_line_names_service_level_message_and_fields() -> None:
    line = line_of(record(reason="NOT_FOUND"))
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "service": "testing",
        "logger": "zhibu.test",
        "message": "一行\n两行",
        "reason": "NOT_FOUND",
    }


def test_a_line_names_the_call_it_belongs_to() -> None:
    token = context.enter(CallContext(trace_id="t", traceparent="p", request_id="r"))
    try:
        line = line_of(record())
    finally:
        context.leave(token)
    assert (line["trace_id"], line["request_id"]) == ("t", "r")


def test_exceptions_show_types_and_places_but_not_their_texts() -> None:
    inner = caught(ValueError("身份证 370724"))
    error = caught(ExceptionGroup("李四", [inner, KeyError("13800000000")]))  # pyright: ignore[reportArgumentType] - inner is one
    line = line_of(record(error))
    assert line["exception"]["type"] == "builtins.ExceptionGroup"
    assert [one["type"] for one in line["exception"]["inner"]] == ["builtins.ValueError", "builtins.KeyError"]
    assert "test_logs.py" in line["exception"]["at"][0]
    for secret in ("370724", "李四", "13800000000"):
        assert secret not in str(line)


def test_texts_of_exceptions_show_where_all_people_are_synthetic() -> None:
    line = line_of(record(caught(ValueError("what was wrong"))), show_exception_texts=True)
    assert line["exception"]["text"] == "what was wrong"


def test_what_cannot_be_written_as_json_is_named_by_its_type() -> None:
    assert line_of(record(thing=object()))["thing"] == "object"
