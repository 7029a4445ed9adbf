"""The phone in the terminal: dial the hotline, or text it, through the very webhooks a carrier uses."""

import sys

import click

from gateway.cli import settings, spoken


@click.command()
@click.option("--from", "from_", help="A made-up number of your own.")
@click.option("--to", help="Which of the hotline's numbers.")
@spoken
def dial(from_: str | None, to: str | None) -> None:
    """Ring the hotline from here; type keys and Enter, Ctrl-D hangs up."""
    from gateway.simulator import terminal  # noqa: PLC0415 - only the demo has one

    here = settings()
    if not here.simulated:
        click.echo("Only the demo has phones of its own: start one with `hotline up`.", err=True)
        sys.exit(1)
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

    here = settings()
    if not here.simulated:
        click.echo("Only the demo has phones of its own: start one with `hotline up`.", err=True)
        sys.exit(1)
    for answer in terminal.text(
        here.public_url, here.twilio_account_sid, here.twilio_auth_token, from_, " ".join(words)
    ):
        click.echo(answer)
