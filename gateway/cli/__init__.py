"""The `hotline` command: each group of commands has a file of its own."""

import importlib
import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from gateway.errors import GatewayError, Refused, SettingsError
from gateway.place import FULL
from gateway.settings import Settings, load, with_demo
from prompts.errors import ContentError

# What a rule's refusal means to whoever typed the command.
REFUSALS = {
    "alias_or_number_in_use": "That alias, or that number, is in use already.",
    "short_password": "A password needs at least 12 characters.",
    "no_such_account": "There is no account of that alias.",
    "bad_alias": "An alias is a short invented name, without digits that could be a number.",
    "number_at_home": "Nothing was kept: the warning was not accepted.",
    "bad_number": "That is not one phone number: write it with + and the country.",
    "no_phone": "That account has no phone number.",
    "empty": "Title and text must not be empty.",
    "too_long": "The text or the title is too long.",
    "no_topic": "There is no such topic.",
    "no_language": "There is no such language.",
    "not_valid": "It must be valid until some time after now.",
    "own_text": "Whoever wrote it cannot approve it.",
    "changed": "That is not ready, or has changed since: listen to it again.",
    "zawgyi": "Part of this is written in Zawgyi: write it in Unicode, or paste it in the console, which offers it so.",
    "unreadable_text": "There are signs in this text that nobody can read: type those places again.",
    "unchanged": "This is the text that is there already.",
    "no_sound_file": "This is no sound file that can be read: give WAV, FLAC, Ogg or MP3.",
    "voice_too_big": "This file is too big: 64 megabytes at most.",
    "voice_too_long": "This is too long: one hour at most.",
    "silent_sound": "There is nothing to hear in this.",
    "text_empty": "There is nothing written.",
    "text_too_long": "This is too long for one text message.",
    "text_number": "There is a number in it that can be rung: numbers do not belong in a text.",
    "text_link": "There is an address of the net in it: links do not belong in a text.",
    "text_listed": "There is a word in it that may draw attention: say it in another way.",
    "text_unseen": "There is a sign in it that no phone shows: type it anew.",
    "feature_off": "Programmes by call are switched off.",
    "not_approved": "It is not approved, or no longer valid.",
    "running": "It is being sent already.",
    "nobody": "Nobody who is meant by this has asked for programmes.",
    "bad_plan": "These days, this time or this cost cannot be used.",
    "list_packed": "This is a packed file or a workbook: unpack it, or save the sheet as CSV, and give that.",
    "list_not_text": "This is no text: save the list as plain text or CSV (UTF-8), a number a line.",
    "not_now": "That cannot be done as it stands now.",
    "gone": "There is no such thing here.",
}


def settings() -> Settings:
    """The settings of this environment, or of the demo that was made here."""
    environ = with_demo(os.environ)
    if not environ.get("HOTLINE_MODE", "").strip():
        raise SettingsError(
            (
                "There is no hotline here yet: start one with `make run`, or set HOTLINE_MODE and what it needs.",
            )
        )
    return load(environ)


def secret_line(prompt: str) -> str:
    """One line of standard input, without echo on a terminal."""
    if sys.stdin.isatty():
        return str(click.prompt(prompt, hide_input=True))
    return sys.stdin.readline().rstrip("\n")


def spoken(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn our errors into one clear line each and the right exit code."""

    @wraps(command)
    def clear(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except SettingsError as error:
            for fault in error.faults:
                click.echo(fault, err=True)
            sys.exit(os.EX_CONFIG)
        except UnicodeError:  # nothing of it is shown: it may be a number or a password
            click.echo("What was given is no text in UTF-8.", err=True)
            sys.exit(os.EX_DATAERR)
        except ContentError as error:
            click.echo(str(error), err=True)
            sys.exit(os.EX_DATAERR)
        except Refused as error:
            click.echo(REFUSALS.get(error.reason_key, f"Refused: {error.reason_key}"), err=True)
            sys.exit(1)
        except GatewayError as error:
            click.echo(str(error) or type(error).__name__, err=True)
            sys.exit(os.EX_UNAVAILABLE)
        except OSError as error:
            if error.errno not in FULL:
                raise
            click.echo("The disk is full: free some space and try again.", err=True)
            sys.exit(os.EX_IOERR)

    return clear


# Which file holds which command: a file is read only when its command is used, so that the supervisor,
# which stays in memory, loads next to nothing.
_ROOMS = {
    "running": ("up", "worker", "clock", "release", "db", "status"),
    "looking": ("doctor", "spending", "fallback", "notice"),
    "keys": ("keys", "unseal", "lock", "unlock", "wipe", "retention"),
    "people": ("counselor", "forget"),
    "content": ("check", "dialogue", "map", "prompts"),
    "outreach": ("outreach",),
    "contacts": ("contacts",),
    "phone": ("dial", "text"),
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [name for names in _ROOMS.values() for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        for room, names in _ROOMS.items():
            if cmd_name in names:
                module = importlib.import_module(f"gateway.cli.{room}")
                command = getattr(module, cmd_name)
                return command if isinstance(command, click.Command) else None
        return None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A hotline by voice and SMS: see `hotline up` for trying it on this machine."""
    os.umask(0o077)  # whatever a command writes is its owner's alone
