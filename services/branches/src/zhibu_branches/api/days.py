"""Days as requests write them."""

from datetime import date

from zhibu_kit.errors import field_error

from zhibu_branches import errors


def day_of(field: str, text: str) -> date:
    """The day of a field.

    Raises:
        ServiceError: a field error when there is no such day.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise field_error(field, errors.DATE_NOT_A_DAY) from None


def day_or_none(field: str, text: str) -> date | None:
    """The day of a field that may be empty."""
    return day_of(field, text) if text else None
