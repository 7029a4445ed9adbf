"""The phone in the terminal: dial the hotline, or text it, through the very webhooks a carrier uses."""

import sys
import urllib.request

import click

from gateway.cli import settings, spoken
from gateway.settings import Settings


@click.command()
@click.option("--from", "from_", help="A made-up number of your own.")
@click.option("--to", help="Which of the hotline's numbers.")
@spoken
def dial(from_: str | None, to: str | None) -> None:
    """Ring the hotline from here; type keys and Enter, Ctrl-D hangs up."""
    from gateway.simulator import terminal  # noqa: PLC0415 - only the demo has one

    here = _demo()
    terminal.dial(
        here.public_url,
        here.twilio_account_sid,
        here.twilio_auth_token,
        from_,
        to,
        out=sys.stdout,
        keys=sys.stdin,
    )


@click.command()
@click.option("--from", "from_", help="A made-up number of your own.")
@click.argument("words", nargs=-1, required=True)
@spoken
def text(from_: str | None, words: tuple[str, ...]) -> None:
    """Text the hotline from here; prints the answer."""
    from gateway.simulator import terminal  # noqa: PLC0415 - only the demo has one

    here = _demo()
    answers = terminal.text(
        here.public_url, here.twilio_account_sid, here.twilio_auth_token, from_, " ".join(words)
    )
    for answer in answers or ["(no answer: none is due, or this phone has sent STOP and not START since)"]:
        click.echo(answer)


def _demo() -> Settings:
    """The settings of a demo that answers; one line and the end where there is none."""
    here = settings()
    if not here.simulated:
        click.echo("Only the demo has phones of its own: start one with `make run`.", err=True)
        sys.exit(1)
    try:
        with urllib.request.urlopen(f"{here.public_url}/health/live", timeout=5):  # noqa: S310 - our own demo
            return here
    except OSError:
        click.echo(f"Nothing answers at {here.public_url}: start it with `make run`.", err=True)
        sys.exit(1)
