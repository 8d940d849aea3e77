"""The lanes: the services whose rows the log takes. A new service is one line here and one in the README's list."""

from typing import Final

LANES: Final = ("identity", "branches", "notify", "audit")


def subject_of(lane: str) -> str:
    """Return the subject under which a service publishes its rows."""
    return f"zhibu.audit_rows.v1.{lane}"
