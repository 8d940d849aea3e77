"""Entity tags: a record that can be edited carries one, and an edit that names an older one is refused."""

from __future__ import annotations

from zhibu_kit.errors import ETAG_MISMATCH


def etag_of(version: int) -> str:
    """Return the entity tag of a record's version, without the quotes which HTTP puts around it."""
    return f"v{version}"


def check_etag(given: str, version: int) -> None:
    """Refuse an edit which was made from another version; an empty tag asks for no check (AIP-154).

    Raises:
        ServiceError: ETAG_MISMATCH when the given tag is not that of the present version.
    """
    if given and given != etag_of(version):
        raise ETAG_MISMATCH(etag=etag_of(version))
