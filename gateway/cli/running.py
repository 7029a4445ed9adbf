"""Commands that run the hotline and tell how it is: up, worker, clock, release, db, status."""

import base64
import json
import os
import shlex
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli import settings, spoken
from gateway.environment import is_loopback
from gateway.errors import SettingsError
from gateway.settings import (
    completed_by,
    demo_file,
    load,
    own_demo,
    ruled_by,
    typed_root_key,
    write_demo_env,
)

if TYPE_CHECKING:
    from gateway.runtime import Runtime
    from gateway.settings import Settings

_REAL = ("DATABASE_URL", "REDIS_URL", "KEYSTORE_URL", "TWILIO_")
_READY_WITHIN = 120.0


_GREETING = """
The hotline runs on this machine, with phones of its own: nobody real is called.

  two phones   {url}/simulator/    a caller's and a counselor's
  console      {url}/console/      two accounts are ready; the page shows their codes
  terminal     {command} dial   {command} text 11

  1 ring    on the caller's phone dial the hotline: 1, then 1, then a number of your own from 4 to 8
  2 claim   in the console sign in as counselor: Take the request, then Ring
  3 talk    answer the counselor's phone: 1, 1. Answer the caller's phone: her own number.

The voice is a robot's, until people record theirs. Data and log: {shown}. Ctrl-C stops it; the data stays.
"""
_OWN_GREETING = """
The hotline runs here with the settings of this environment. THE PHONES ARE REAL.

  webhooks     {url}/twilio/voice   {url}/twilio/sms
  console      {url}/console/

Data and log: {shown}. Ctrl-C stops it; the data stays.
"""


def runtime(*, busy: float = 5.0, typed: bool = True) -> "Runtime":
    """The runtime of a command, with a root key that was typed; the heavy imports happen only where one is needed."""
    from gateway import logs  # noqa: PLC0415 - see above
    from gateway.runtime import build_runtime  # noqa: PLC0415 - see above

    here = settings()
    logs.configure(here.log_level, json=here.mode == "production")
    return build_runtime(here, busy=busy, typed=typed)


# --- up -----------------------------------------------------------------------------------------------


@click.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--use-environment", is_flag=True, help="Use DATABASE_URL, REDIS_URL and TWILIO_… as they are set."
)
@spoken
def up(port: int, use_environment: bool) -> None:
    """Run the whole hotline on this machine until Ctrl-C."""
    from gateway import supervisor  # noqa: PLC0415 - only this command needs it

    file, made = _made(port, use_environment=use_environment)
    env = ruled_by(made, os.environ) if made else {**os.environ, "PORT": str(port)}
    here = load(env)
    if use_environment:
        _confirm_real(here.on_this_machine, here.twilio_api_base_url)

    children = _for_children(env, here)

    def release_() -> None:
        if made:
            write_demo_env(file, made)  # only now: a second start must not change what the first one uses
        subprocess.run([sys.executable, "-m", "gateway", "release"], env=children, check=True)
        greeting = _GREETING if here.simulated else _OWN_GREETING
        threading.Thread(
            target=_greet, args=(greeting, here.public_url, port, here.data_dir), daemon=True
        ).start()

    try:
        code = supervisor.up(children, here.data_dir, port, say=click.echo, before_web=release_)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)  # what was wrong, it has said itself
    sys.exit(code)


def _made(port: int, *, use_environment: bool) -> tuple[Path, dict[str, str]]:
    """The demo's file, and what it is to say; nothing where the environment must say all by itself."""
    from gateway import valkey  # noqa: PLC0415 - only this command needs it

    file = demo_file(os.environ)
    if use_environment and os.environ.get("HOTLINE_MODE", "").strip() == "production":
        return file, {}
    # Every other command finds the server by what the file says.
    made = own_demo(file, port) | {"REDIS_URL": valkey.address(file.parent)}
    if use_environment:
        made = completed_by(made, os.environ) | {"PORT": str(port), "HOTLINE_DATA_DIR": str(file.parent)}
    elif ignored := sorted(name for name in os.environ if name.startswith(_REAL)):
        click.echo(
            f"Ignored here: {', '.join(ignored)} (the demo uses its own; --use-environment uses them)."
        )
    return file, made


def _confirm_real(local: bool, api: str | None) -> None:
    """Whoever points a demo at real things must say so."""
    if local and api and is_loopback(api):
        return
    click.echo("This uses a database, a Redis or a phone company that is not on this machine.")
    if click.prompt("Type `real` to go on", default="", show_default=False) != "real":
        sys.exit(1)


def _for_children(env: Mapping[str, str], here: "Settings") -> dict[str, str]:
    """The web key stands by itself, for only the worker is given the root key; the bell's address is compared."""
    found = {
        "HOTLINE_WEB_KEY": base64.b64encode(here.web_key).decode(),
        "REDIS_URL": here.redis_url,
    }
    files = {f"{name}_FILE" for name in found}
    return {name: value for name, value in env.items() if name not in files} | found


def _greet(greeting: str, url: str, port: int, data: Path) -> None:
    """Say where everything is as soon as it answers: one screen, no more."""
    until = time.monotonic() + _READY_WITHIN
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2):
                break
        except OSError:
            time.sleep(0.2)
    else:
        return
    shown = _from_here(data)
    command = _from_here(Path(sys.executable).with_name("hotline"))
    if data != Path("var").absolute():
        command = f"HOTLINE_DATA_DIR={shlex.quote(shown)} {command}"
    click.echo(greeting.format(url=url, shown=shown, command=command))


def _from_here(path: Path) -> str:
    """A path as somebody types it: from this folder where it lies below it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


# --- the processes of the Procfile --------------------------------------------------------------------


@click.command()
@spoken
def worker() -> None:
    """Do jobs: ring, move and end calls, render programmes, forget."""
    from gateway.services.notice import refuse_unread  # noqa: PLC0415 - only these commands need it
    from gateway.services.overview import refuse_drafts  # noqa: PLC0415
    from workers import worker as process  # noqa: PLC0415

    wired = runtime()
    if wired.vault.locked:
        click.echo(
            "No root key: nobody is rung until somebody types it on this host with `hotline unseal`.",
            err=True,
        )
    refuse_unread(wired.settings)
    refuse_drafts(wired)
    process.run(wired)


@click.command()
@spoken
def clock() -> None:
    """Ring what is due, end what is over. May run twice."""
    from gateway.services.notice import refuse_unread  # noqa: PLC0415 - only these commands need it
    from gateway.services.overview import refuse_drafts  # noqa: PLC0415
    from workers import clock as process  # noqa: PLC0415

    wired = runtime()
    refuse_unread(wired.settings)
    refuse_drafts(wired)
    process.run(wired)


@click.command()
@spoken
def release() -> None:
    """Keys, tables, what is said and its sound, before the processes start; run again, it changes nothing."""
    from gateway.services import publishing  # noqa: PLC0415 - only this command needs these
    from gateway.services.notice import refuse_unread  # noqa: PLC0415

    here = settings()
    refuse_unread(here)
    here.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    _prepare_keys(here)
    wired = runtime()
    _upgrade(wired)
    publishing.seed(wired)
    _first_sounds(wired)
    if here.simulated:
        _prepare_demo(wired)


def _prepare_keys(here: "Settings") -> None:
    """Make the installation's keys once. Without a root key, which may be typed, only look that they are there."""
    from gateway.clock import SystemClock  # noqa: PLC0415 - only this command needs these
    from gateway.typed_key import TypedKey  # noqa: PLC0415
    from gateway.vault import Vault  # noqa: PLC0415

    root = here.root_key or TypedKey(here.data_dir)()
    if root is None and sys.stdin.isatty():
        root = typed_root_key(str(click.prompt("Root key", hide_input=True)))
    if root is not None:
        Vault.prepare(replace(here, root_key=root))
        return
    vault = Vault(here, SystemClock())
    try:
        if faults := vault.faults():
            raise SettingsError(faults)
    finally:
        vault.close()


def _upgrade(wired: "Runtime") -> None:
    from gateway.store import migrations  # noqa: PLC0415 - only two commands need it

    migrations.upgrade(wired.database)


def _first_sounds(wired: "Runtime") -> None:
    """Offline first, so that starting never waits for Google."""
    from gateway.services import speech  # noqa: PLC0415 - only this command needs it

    languages = [one for one in wired.settings.languages if one in wired.library.languages]
    made, failed = speech.render_prompts(wired, languages, engines=("recorded", "offline"))
    if made:
        click.echo(f"Made sound for {made} sentences on this machine.")
    for one in failed:
        click.echo(f"No sound for {one.key} in {one.language}: hotline check says more.", err=True)


def _prepare_demo(wired: "Runtime") -> None:
    from gateway.phone import Msisdn  # noqa: PLC0415 - only the demo needs these
    from gateway.services import demo  # noqa: PLC0415
    from gateway.simulator.numbers import demo_number  # noqa: PLC0415

    token = wired.settings.twilio_auth_token
    numbers = {alias: Msisdn.parse(demo_number(token, alias)) for alias, _ in demo.DEMO_ACCOUNTS}
    demo.prepare(wired, numbers)


@click.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
@spoken
def db_upgrade() -> None:
    """Bring the database's tables to this version's form."""
    _upgrade(runtime())


# --- how it is ----------------------------------------------------------------------------------------


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for scripts.")
@spoken
def status(as_json: bool) -> None:
    """Counts of what waits and what was done; no identities."""
    from gateway.services import overview  # noqa: PLC0415 - only this command needs it

    found = overview.status(runtime())
    if as_json:
        click.echo(json.dumps(found))
        return
    for subject, value in found.items():
        counts = value if isinstance(value, dict) else {"": value}
        shown = ", ".join(f"{name} {count}".strip() for name, count in counts.items() if count)
        click.echo(f"{subject:<11} {shown or 'none'}")
