"""What people typed into a form, read as what it must be, or not at all."""

import re
from datetime import date
from typing import Final

_NUMBER: Final = re.compile(r"[0-9]{1,6}", re.ASCII)


def day(text: str) -> date | None:
    """A day as browsers send it; None for anything else, and for a year that no calendar here needs."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year < 2200 else None


def number(text: str) -> int | None:
    """A small number in our digits; None for anything else, and for more digits than anything here has."""
    return int(text) if _NUMBER.fullmatch(text) else None
