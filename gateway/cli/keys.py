"""Commands about keys, and about stopping and destroying: keys, unseal, lock, unlock, wipe, retention."""

import base64
import sys
from datetime import timedelta

import click

from gateway.cli import secret_line, settings, spoken
from gateway.cli.running import runtime
from gateway.settings import Settings, demo_file, read_env_file, typed_root_key, write_demo_env

_STEPS = {
    "keys": "every key in the keystore is destroyed: nothing that was sealed opens again",
    "keystore_file": "the keystore's file is written over and removed (a server's is made anew without them)",
    "keys_here": "keys typed or kept on this host are removed",
    "rows": "every row is deleted but what callers hear",
    "leftovers": "what the database still held of deleted rows is written over",
    "bell": "Redis is emptied",
    "files": "logs and sounds of programmes on this host are removed",
    "calls": "calls that stood are hung up",
}


@click.group()
def keys() -> None:
    """The installation's keys."""


@keys.command("rotate")
@spoken
def rotate() -> None:
    """Make new keys and wrap everything anew, while everything runs. Run again with the new keys it finishes."""
    from gateway.rotation import Rotation  # noqa: PLC0415 - only this command needs these
    from gateway.typed_key import TypedKey  # noqa: PLC0415

    here = settings()
    typed = TypedKey(here.data_dir)
    root = here.root_key or typed() or typed_root_key(secret_line("Root key"))

    def say(count: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"{count} wrapped anew\r", nl=False, err=True)

    done = Rotation(here, root).run(say)
    click.echo(f"{done.rewrapped} wrapped anew.", err=True)
    if done.finished:
        click.echo(
            "Done. The old root key and web key open nothing any more. Destroy every copy of them now: on paper, "
            "in password stores, in settings of other hosts; and backups of the keystore from before, which "
            "the old root key still opens."
        )
        return
    new_root = base64.b64encode(done.root_key).decode()
    new_web = base64.b64encode(done.web_key).decode()
    if typed() is not None:
        typed.keep(new_root)
    if here.simulated:
        _into_demo(here, new_root, new_web)
        click.echo(
            "The demo's file has the new keys. Start the demo again, then run `hotline keys rotate` again."
        )
        return
    click.echo(f"HOTLINE_ROOT_KEY={new_root}\nHOTLINE_WEB_KEY={new_web}")
    click.echo(
        "Until you finish, the old keys and these open everything. 1. Put these in the place of the old ones, and keep "
        "a copy of the root key offline. 2. Start every process again, on every host. 3. Run `hotline keys rotate` "
        "once more, with the new keys: only then are the old ones worthless.",
        err=True,
    )


def _into_demo(here: Settings, root: str, web: str) -> None:
    file = demo_file({"HOTLINE_DATA_DIR": str(here.data_dir)})
    write_demo_env(file, read_env_file(file) | {"HOTLINE_ROOT_KEY": root, "HOTLINE_WEB_KEY": web})


@click.command()
@click.option("--undo", is_flag=True, help="Take the typed key away from this host again.")
@spoken
def unseal(undo: bool) -> None:
    """Type the root key once, for the workers of this host: it stays in memory until the host is switched off."""
    from gateway.typed_key import TypedKey  # noqa: PLC0415 - only this command needs it

    here = settings()
    typed = TypedKey(here.data_dir)
    if undo:
        click.echo(
            "The typed key is gone from this host." if typed.drop() else "No key was typed on this host."
        )
        return
    text = secret_line("Root key").strip()
    _refuse_wrong(here, typed_root_key(text))
    typed.keep(text)
    click.echo("Workers of this host dial from now on. Each other host wants the key typed, too.")


def _refuse_wrong(here: Settings, root: bytes) -> None:
    """Raises `SettingsError` for a key of something else."""
    from dataclasses import replace  # noqa: PLC0415 - only this command needs these

    from gateway.clock import SystemClock  # noqa: PLC0415
    from gateway.errors import SettingsError  # noqa: PLC0415
    from gateway.vault import Vault  # noqa: PLC0415

    vault = Vault(replace(here, root_key=root), SystemClock())
    try:
        if faults := vault.faults():
            raise SettingsError(faults)
    finally:
        vault.close()


@click.command()
@spoken
def lock() -> None:
    """Stop everything that reaches people or shows something; the line goes on with information. Reversible."""
    from gateway.services import halting  # noqa: PLC0415 - only this command needs it

    halting.lock(runtime(), by=None)
    click.echo(
        "Locked. Sessions are ended, nobody is dialled, nothing new is kept. `hotline unlock` undoes it."
    )


@click.command()
@spoken
def unlock() -> None:
    """Go on after a lock."""
    from gateway.services import halting  # noqa: PLC0415 - only this command needs it

    halting.unlock_here(runtime())
    click.echo(
        "Unlocked. Whoever was signed in signs in again; what waited is dialled, if its time is not over."
    )


@click.command()
@click.option("--yes-destroy-everything", "sure", is_flag=True, help="Do not ask.")
@spoken
def wipe(sure: bool) -> None:
    """Destroy every key, then everything they sealed. Nothing recovers it. The line says only what all may hear."""
    from gateway.services import wiping  # noqa: PLC0415 - only this command needs it

    if not sure:
        click.echo("This destroys all accounts, requests, notes, texts, opt-ins and programmes, for ever.")
        if click.prompt(f"Type `{wiping.WORD}` to do it", default="", show_default=False) != wiping.WORD:
            click.echo("Nothing was destroyed.")
            sys.exit(1)
    failed = 0
    for step in wiping.wipe(runtime(busy=1.5)):
        failed += bool(step.why)
        click.echo(
            f"{'FAULT' if step.why else 'ok   '} {_STEPS[step.name]}{f' ({step.why})' if step.why else ''}"
        )
    click.echo(
        "What this command cannot reach: the root key where you keep it, backups of the keystore (destroy both), "
        "lists of calls and texts at the phone company and at the provider, whose ids are gone with the rest "
        "(delete them in its console), and the memory of processes: start them again."
    )
    sys.exit(1 if failed else 0)


@click.command()
@click.option(
    "--report", is_flag=True, required=True, help="Show each kind: rule, rows, oldest, how many over age."
)
@spoken
def retention(report: bool) -> None:
    """How long each kind of thing is kept, and proof that it is; exit 1 where anything is over its age."""
    from gateway.services import provider_copies  # noqa: PLC0415 - only this command needs these
    from gateway.services import retention as rules  # noqa: PLC0415

    del report
    wired = runtime()
    now = wired.clock.now()
    over = 0
    click.echo(f"{'kind':<20} {'kept':>9} {'rows':>8} {'oldest':>10} {'over age':>9}")
    for one in rules.report(wired):
        over += one.over_age
        oldest = "-" if one.oldest is None else _span(now - one.oldest)
        click.echo(f"{one.kind:<20} {_span(one.keep):>9} {one.count:>8} {oldest:>10} {one.over_age:>9}")
    copies = provider_copies.counts(wired)
    click.echo(
        f"At the provider: {copies['waiting']} copies wait for their time, {copies['refused']} were refused and are "
        f"tried again, {copies['given_up']} were given up: delete those in its console."
    )
    sys.exit(1 if over else 0)


def _span(span: timedelta) -> str:
    """Roughly, as people say it; what lies ahead is still to come."""
    if span < timedelta():
        return "to come"
    if span < timedelta(hours=1):
        return "at once" if not span else f"{span // timedelta(minutes=1)} min"
    return f"{span // timedelta(hours=1)} h" if span < timedelta(days=3) else f"{span.days} days"
