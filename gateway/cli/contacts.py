"""Commands about numbers that must not be contacted; they are read from standard input, and never shown."""

import sys

import click

from gateway.cli import spoken
from gateway.cli.running import runtime
from gateway.services import forbidding

_WHY = {
    "none": "no phone number",
    "two": "more than one phone number: none was taken",
    "rounded": "a number that a spreadsheet has rounded: make the column text there, and export it again",
    "long": "far too long for a line",
}


@click.group()
def contacts() -> None:
    """Numbers that must not be contacted. There is no import of people."""


@contacts.command("forbid")
@click.option("--lift", is_flag=True, help="Take these numbers off the list again.")
@spoken
def forbid(*, lift: bool) -> None:
    """Read a list from standard input, a number a line or a CSV, and never contact any of them.

    Only a keyed index of each is kept. What cannot be read is named by its line; nothing of it is shown. The same
    list may be given again. Asking does not lift it: only --lift does.
    """
    wired = runtime()
    shown = sys.stderr.isatty()
    report = forbidding.forbid(
        wired,
        sys.stdin.buffer,
        lift=lift,
        told=(lambda count: click.echo(f"\r{count}", err=True, nl=False)) if shown else None,
    )
    for fault in report.faults:
        lines = f"line {fault.first}" if fault.first == fault.last else f"lines {fault.first} to {fault.last}"
        click.echo(f"{lines}: {_WHY[fault.why]}", err=True)
    if report.more:
        click.echo("and more lines like these", err=True)
    what = "taken off the list" if lift else "new on the list"
    click.echo(f"{report.numbers} numbers read, {report.changed} of them {what}")
    if report.unread:
        click.echo(f"{report.unread} lines could not be read", err=True)
        sys.exit(1)
