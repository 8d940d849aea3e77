"""Logs: one JSON object per line and event. Request bodies and texts of foreign exceptions never get in."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TextIO, cast

import orjson

from zhibu_kit.context import current_context

# These libraries write addresses with parameters, or one line per call.
_QUIET: Final = ("asyncio", "grpc", "hpack", "httpcore", "httpx", "nats", "opentelemetry", "sqlalchemy", "urllib3")


def configure(
    service: str, *, level: str = "INFO", show_exception_texts: bool = False, stream: TextIO | None = None
) -> None:
    """Send every log record of this process to `stream` (standard error by default) as JSON lines.

    Texts of exceptions often quote the data at fault; they are shown only where all people are synthetic.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(service, show_exception_texts=show_exception_texts))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class JsonFormatter(logging.Formatter):
    """Renders a record as one line of JSON; `extra={"fields": {...}}` adds fields."""

    def __init__(self, service: str, *, show_exception_texts: bool = False) -> None:
        """Name the service in each line."""
        super().__init__()
        self._service = service
        self._show_exception_texts = show_exception_texts

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        context = current_context()
        if context is not None:
            line["trace_id"] = context.trace_id
            line["request_id"] = context.request_id
        fields = getattr(record, "fields", None)
        if isinstance(fields, Mapping):
            line.update(cast("Mapping[str, object]", fields))
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = describe_exception(record.exc_info[1], with_text=self._show_exception_texts)
        return orjson.dumps(line, default=_unknown).decode()


def describe_exception(error: BaseException, *, with_text: bool = False) -> dict[str, object]:
    """Return what a log may say of an exception: types and places, its text only when asked for."""
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    described: dict[str, object] = {"type": f"{type(error).__module__}.{type(error).__qualname__}", "at": frames[-12:]}
    if with_text:
        described["text"] = str(error)[:2000]
    if isinstance(error, BaseExceptionGroup):
        inner = cast("BaseExceptionGroup[BaseException]", error).exceptions
        described["inner"] = [describe_exception(one, with_text=with_text) for one in inner[:5]]
    cause = error.__cause__
    if cause is not None:
        described["cause"] = describe_exception(cause, with_text=with_text)
    return described


def _unknown(value: object) -> str:
    return type(value).__name__
