"""A gateway that answers zhibuctl as a script says."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from zhibuctl.gateway import Gateway


@contextmanager
def scripted(
    answers: Mapping[str, Sequence[Any]], *, request_ids: list[str] | None = None
) -> Generator[tuple[Gateway, list[str]]]:
    """Answer each call with the next of its answers, the last one again and again; tell what was called, by which id."""
    called: list[str] = []
    left = {call: list(several) for call, several in answers.items()}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            call = f"{self.command} {self.path.partition('?')[0]}"
            called.append(call)
            if request_ids is not None and (request_id := self.headers.get("Idempotency-Key")):
                request_ids.append(request_id)
            several = left[call]
            answer = several.pop(0) if len(several) > 1 else several[0]
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        with Gateway(f"http://127.0.0.1:{server.server_address[1]}", lambda: "token") as gateway:
            yield gateway, called
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
