"""The switches of the two counties: open for applications, and whom to call for help."""

from typing import Final

from zhibu_demo.api import Api, TokenSource, segment
from zhibu_demo.progress import Progress

# Subscriber numbers do not begin with 0, so nobody can be called by mistake.
_HELP_TELEPHONES: Final = {"370724": "0536-0000-724", "370781": "0536-0000-781"}


async def set_switches(api: Api, progress: Progress, token: TokenSource, county: str) -> None:
    """Set them once."""
    if progress.get(f"switches-{county}"):
        return
    path = f"/v1/organisations/{segment(county)}/settings"
    _, etag = await api.get_with_etag(path)
    settings = {
        "organisationId": county,
        "applicationsOpen": True,
        "activationByTelephone": False,
        "helpTelephone": _HELP_TELEPHONES[county],
        "helpHours": "工作日 8:30–17:30",
    }
    body = {"settings": settings, "etag": etag.strip('"')}
    await api.put(path, body, token=token, request_id=progress.request_id(f"switches-{county}"), etag=etag)
    progress.put(f"switches-{county}", True)
