"""The HTTP status that the gateway gives an error; asked of the gateway itself, so that the page cannot differ from it."""

from grpc import StatusCode


def http_status(code: StatusCode, reason: str) -> int:
    """Return the HTTP status of an error kind."""
    raise NotImplementedError
