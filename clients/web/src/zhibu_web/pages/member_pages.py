"""The members' pages, in the order of their routes."""

from __future__ import annotations

from typing import Final

from zhibu_web.pages import (
    branch,
    corrections,
    foundings,
    inbox,
    my_certificates,
    my_data,
    my_log,
    my_record,
    my_telephone,
    organisations,
    services,
    survey,
)

MEMBER_PAGES: Final = (
    branch,
    survey,
    organisations,
    foundings,
    services,
    inbox,
    my_record,
    my_data,
    my_log,
    corrections,
    my_telephone,
    my_certificates,
)
