"""Commands that look and tell, and change nothing here: doctor, spending, fallback, notice."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from gateway.cli import settings, spoken
from gateway.cli.running import runtime

_MARKS = {True: "ok   ", False: "FAULT", None: "look "}


@click.command()
@spoken
def doctor() -> None:
    """Check settings, live dependencies and the provider's side, a line each with what to do; exit 1 on any fault."""
    from gateway.services import doctor as doctors  # noqa: PLC0415 - only this command needs it

    here = settings()
    click.echo(f"ok    settings: {here.mode}, public address {urlsplit(here.public_url).netloc}")
    faults = 0
    for finding in doctors.examine(runtime()):
        faults += finding.good is False
        click.echo(f"{_MARKS[finding.good]} {finding.what}: {finding.words}")
    sys.exit(1 if faults else 0)


@click.command()
@spoken
def spending() -> None:
    """Show what was spent in the last 24 hours by kind, and how much of the fuller cap that is."""
    from datetime import timedelta  # noqa: PLC0415 - only this command needs these

    from gateway.services import spending as money  # noqa: PLC0415

    here = runtime()
    now = here.clock.now()
    with here.database.read() as session:
        found = money.spent(session, since=now - timedelta(hours=24))
        used = money.used(session, here, now=now)
    for kind, amount in sorted(found.items()):
        click.echo(f"{kind:<12} {amount:>10.2f}")
    click.echo(f"{'in all':<12} {sum(found.values()):>10.2f}")
    click.echo(f"{used:.0f} of a hundred of the cap" if money.capped(here.settings) else "no cap is set")


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@spoken
def fallback(folder: Path) -> None:
    """Write into FOLDER what the provider plays when nothing here answers; put it on any static host."""
    from gateway.services import fallback as spare  # noqa: PLC0415 - only this command needs it

    here = runtime()
    for name in spare.write(here, folder):
        click.echo(name)
    if here.settings.fallback_url is None:
        click.echo(
            "The addresses in voice.xml are relative; set HOTLINE_FALLBACK_URL so that hotline doctor looks."
        )


@click.command()
def notice() -> None:
    """Show what this gateway cannot protect: to be read and accepted before anybody real calls."""
    from gateway.services.notice import TEXT  # noqa: PLC0415 - only this command needs it

    click.echo(TEXT, nl=False)
