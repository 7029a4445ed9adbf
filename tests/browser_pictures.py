"""Pictures that browser tests take for people to look at."""

from pathlib import Path

from playwright.sync_api import Error, Locator, Page


def picture(of: Page | Locator, path: Path, **how: bool) -> None:
    """Take it; a busy machine's browser sometimes cannot at once."""
    for last in (False, False, True):
        try:
            of.screenshot(path=path, **how)  # type: ignore[arg-type]
        except Error as error:
            if last or "Unable to capture" not in str(error):
                raise
        else:
            return
