"""Commands about accounts, and about forgetting a caller. Nothing secret is ever on a command line."""

import sys

import click

from gateway.cli import secret_line, spoken
from gateway.cli.running import runtime
from gateway.errors import BadNumber, Refused
from gateway.phone import Msisdn
from gateway.services import counselors, ending, forgetting, invitations, keypad, provider_copies
from gateway.services.counselors import Enrolment
from gateway.store.counselors import Role


@click.group()
def counselor() -> None:
    """Accounts of counselors and coordinators."""


def _number() -> Msisdn:
    """A number; one of the callers' country with a warning, and not against the word that answers it.

    A script that ends its input after the number has decided already.
    """
    typed = secret_line("Number")
    number = counselors.phone(typed, accepted=True)
    if number is None:
        raise Refused("bad_number")
    try:
        return counselors.phone(typed, accepted=False) or number
    except Refused:
        click.echo(
            "This number is in the callers' country: the phone company there sees when it is rung, and "
            "can hear the call. A number abroad is safer. Type the word accept to keep it all the same.",
            err=True,
        )
        word = click.prompt("accept") if sys.stdin.isatty() else sys.stdin.readline() or "accept"
        if str(word).strip() != "accept":
            raise
    return number


def _show(enrolment: Enrolment) -> None:
    import segno  # noqa: PLC0415 - only where a code is shown

    if sys.stdout.isatty():
        segno.make(enrolment.uri).terminal(compact=True)
    click.echo(f"Add this to a code reader: {enrolment.secret}")
    click.echo(enrolment.uri)


@counselor.command("add")
@click.argument("alias")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--phone", is_flag=True, help="Ask for a number to be rung on, too.")
@spoken
def add(alias: str, role: str, phone: bool) -> None:
    """Make an account; the password, and with --phone the number, are read from standard input."""
    password = secret_line("Password")
    number = _number() if phone else None
    _show(counselors.add(runtime(), counselors.fit_alias(alias), Role(role), password, number=number))


@counselor.command("invite")
@click.argument("alias")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.COUNSELOR.value)
@click.option("--anew", is_flag=True, help="For somebody who has this account, and lost password or reader.")
@spoken
def invite(alias: str, role: str, anew: bool) -> None:
    """Print a code, good once and for two days, by which somebody joins in the console."""
    wired = runtime()
    code = (
        invitations.invite_anew(wired, alias, by=None)
        if anew
        else invitations.invite(wired, alias, Role(role), by=None)
    )
    click.echo(code)
    hours = int(invitations.LIVES.total_seconds()) // 3600
    click.echo(
        f"To be typed at {wired.settings.console_url}/console/join within {hours} hours. "
        "Hand it over in person or by a safe way, never by SMS.",
        err=True,
    )


@counselor.command("role")
@click.argument("alias")
@click.argument("role", type=click.Choice([role.value for role in Role]))
@spoken
def change_role(alias: str, role: str) -> None:
    """Give an account another role; its sessions end at once."""
    counselors.change_role(runtime(), alias, Role(role), by=None)


@counselor.command("helps")
@click.argument("alias")
@click.option("--speaks", default="", help="Languages with commas; empty: any.")
@click.option(
    "--woman/--not-woman", default=False, help="Rung first for those who wish to talk with a woman."
)
@spoken
def helps(alias: str, speaks: str, woman: bool) -> None:
    """Say whom this person is rung for and offered first."""
    languages = [language for language in speaks.split(",") if language]
    counselors.describe(runtime(), alias, speaks=languages, woman=woman, by=None)


@counselor.command("captured")
@click.argument("alias")
@spoken
def captured(alias: str) -> None:
    """End all that an account holds, at once, and list the requests that it had seen."""
    wired = runtime()
    found = ending.captured(wired, alias, by=None)
    click.echo("Ended: sessions, calls, claims, code sheets, passkeys, recovery codes, its invitations.")
    click.echo("What it had seen, to the hour:" if found else "It had seen no request that is still kept.")
    for one in found:
        first, last = (hour.astimezone(wired.settings.timezone) for hour in (one.first, one.last))
        click.echo(f"{one.case}  {one.handle or 'forgotten':<24} {first:%d.%m. %H:%M} - {last:%d.%m. %H:%M}")


@counselor.command("reset")
@click.argument("alias")
@spoken
def reset(alias: str) -> None:
    """A new password (from standard input) and a new one-time-code secret; its sessions end."""
    _show(counselors.reset(runtime(), alias, secret_line("New password")))


@counselor.command("codes")
@click.argument("alias")
@spoken
def codes(alias: str) -> None:
    """Print a fresh sheet of twenty numbered keypad codes; the old sheet works no more."""
    wired = runtime()
    account = counselors.known(wired, alias)
    for number, code in enumerate(keypad.fresh_sheet(wired, account), start=1):
        click.echo(f"{number:>2}  {code}")


@counselor.command("shift")
@click.argument("alias")
@click.argument("turn", type=click.Choice(["on", "off"]))
@spoken
def shift(alias: str, turn: str) -> None:
    """Put an account on or off shift."""
    counselors.set_shift(runtime(), alias, on=turn == "on")


@counselor.command("list")
@spoken
def everyone() -> None:
    """Every account: alias, role, shift. Never a number."""
    for one in counselors.everyone(runtime()):
        shift = "disabled" if one.disabled else "on shift" if one.on_shift else "off shift"
        phone = "phone" if one.has_phone else "no phone"
        click.echo(f"{one.alias:<24} {one.role:<12} {shift:<10} {phone}")


@counselor.command("enable")
@click.argument("alias")
@spoken
def enable(alias: str) -> None:
    """Let a disabled account sign in again."""
    ending.enable(runtime(), alias)


@counselor.command("disable")
@click.argument("alias")
@spoken
def disable(alias: str) -> None:
    """Nobody signs in with it any more; its sessions end at once."""
    ending.disable(runtime(), alias)


@click.command()
@spoken
def forget() -> None:
    """Destroy all that is kept about one number, which is read from standard input."""
    try:
        number = Msisdn.parse(secret_line("Number"))
    except BadNumber:
        raise Refused("bad_number") from None
    keep_out = _asked(
        "Keep a keyed hash of it for 12 months, so that nobody contacts it? Without it nothing at all remains"
    )
    wired = runtime()
    result = forgetting.forget_now(wired, number, keep_out=keep_out)
    click.echo(_FORGOTTEN[result])
    if result == "nothing":
        return
    click.echo(
        "A keyed hash stays for 12 months: nobody contacts it." if keep_out else "Nothing of it stays."
    )
    copies = provider_copies.counts(wired)
    click.echo(
        "What could not be deleted here: the lists of both phone companies and of both phones; copies of the "
        "keystore made before today, which would still open it; at the provider "
        f"{copies['waiting'] + copies['refused']} copies of calls and texts (of everybody) wait to be deleted, "
        f"{copies['given_up']} were refused for a month: delete those in its console."
    )


_FORGOTTEN = {
    "nothing": "Nothing was kept about it.",
    "forgotten": "Forgotten: its keys are destroyed, so nothing of it opens, in backups of the database neither.",
    "in_a_call": "It is in a call, or a text to it is on its way: a worker ends that and then destroys its keys.",
    "still_needed": "A worker destroys its keys in a moment.",
}


def _asked(question: str) -> bool:
    """Yes unless somebody says no; what is piped in may leave the answer out."""
    if sys.stdin.isatty():
        return bool(click.confirm(question, default=True))
    return sys.stdin.readline().strip().lower() not in {"n", "no"}
