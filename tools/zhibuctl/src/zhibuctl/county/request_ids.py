"""Request ids that are the same in every run, so that a repeated run repeats nothing."""

from uuid import NAMESPACE_URL, uuid5


def request_id(county_code: str, *parts: str) -> str:
    """Return the id of one step of one county."""
    return str(uuid5(NAMESPACE_URL, "zhibuctl-onboard:" + "\n".join((county_code, *parts))))
