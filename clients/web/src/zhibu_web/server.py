"""The web client as a process: pages on one address, and on another what an orchestrator asks."""

from __future__ import annotations

import logging

import uvicorn
from fastapi import FastAPI

from zhibu_web.settings import WebSettings, host_and_port

log = logging.getLogger("zhibu.web")


def make_server(app: FastAPI, settings: WebSettings, *, listen: str = "") -> uvicorn.Server:
    """Return the HTTP server of an application; it drains on SIGTERM."""
    host, port = host_and_port(listen or settings.listen)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=settings.drain_s,
        timeout_keep_alive=75,
        # A head of more than this is not from one of our pages.
        h11_max_incomplete_event_size=32 * 1024,
    )
    return uvicorn.Server(config)
