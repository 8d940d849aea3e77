"""Style, script and pictures: served from the package, kept by browsers for a year under the address with their hash."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from zhibu_web.rendering import STATIC

# Smaller files would hardly become smaller (bytes).
LEAST_COMPRESSED: Final = 500


class HashedStaticFiles(StaticFiles):
    """Static files that never change under one address."""

    def __init__(self) -> None:
        """Serve the package's own folder."""
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file; only an address with a hash may be kept."""
        response = await super().get_response(path, scope)
        hashed = b"v=" in scope.get("query_string", b"")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response
