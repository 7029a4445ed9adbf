"""Commands about content and sound: check, dialogue, map, prompts render."""

import os
import sys
from pathlib import Path

import click

from gateway.cli import settings, spoken
from gateway.cli.running import runtime
from gateway.errors import Refused


@click.command()
@click.option("--review", is_flag=True, help="Show which wordings are drafts.")
@spoken
def check(review: bool) -> None:
    """Say what is wrong with the content, with file, key and plain words; exit 1 on any fault."""
    from prompts import check as checking  # noqa: PLC0415 - only this command needs it
    from prompts.library import Library, PackError  # noqa: PLC0415

    try:
        library = Library.load()
    except PackError as error:
        for problem in error.problems:
            click.echo(str(problem))
        sys.exit(1)
    problems = checking.check(library, word_list=_listed_words())
    for problem in problems:
        click.echo(str(problem))
    if review:
        for language, reviewed in checking.review(library).items():
            counts = ", ".join(f"{count} {state}" for state, count in reviewed.counts.items())
            click.echo(f"{language}: {counts}")
            for key in reviewed.drafts:
                click.echo(f"  draft  {key}")
    if not problems:
        click.echo(
            f"Content: {len(library.script.menus)} menus, {len(library.languages)} languages, no fault."
        )
    sys.exit(1 if problems else 0)


def _listed_words() -> frozenset[str]:
    """The private word list, where this environment names one."""
    from gateway.errors import SettingsError  # noqa: PLC0415 - only this command needs it

    try:
        return settings().listed_words()
    except SettingsError:  # content can be checked on a machine that runs no hotline
        return frozenset()


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@spoken
def dialogue(file: Path) -> None:
    """Play a conversation written down in FILE; show where it goes otherwise than written."""
    from prompts.dialogue import DialogueError, Difference, play  # noqa: PLC0415 - only this command needs it
    from prompts.library import Library  # noqa: PLC0415

    try:
        played = play(Library.load(), file.read_text(encoding="utf-8"))
    except (DialogueError, UnicodeDecodeError) as error:
        click.echo(f"{file.name}: {error}", err=True)
        sys.exit(os.EX_DATAERR)
    click.echo(played.text)
    sys.exit(1 if isinstance(played, Difference) else 0)


@click.command()
@click.option("--language", help="Whose wordings the menus say; the first language where none is named.")
@click.option("--reading", type=click.Choice(["en", "my"]), default="en", help="The language of the labels.")
@click.option(
    "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="A file to write it to."
)
@spoken
def map(language: str | None, reading: str, output: Path | None) -> None:  # noqa: A001 - the command's name
    """Draw the menus as an SVG: what each says, what each key does, how far it is reviewed."""
    from prompts.library import Library, PackError  # noqa: PLC0415 - only this command needs it
    from prompts.map import svg  # noqa: PLC0415

    try:
        library = Library.load()
    except PackError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        sys.exit(1)
    if language and language not in library.languages:
        click.echo(f"There is no language {language!r}; there are {', '.join(library.languages)}.", err=True)
        sys.exit(os.EX_USAGE)
    drawn = svg(library, language or library.languages[0], reading=reading)
    if output is None:
        click.echo(drawn)
    else:
        output.write_text(f"{drawn}\n", encoding="utf-8")


@click.group()
def prompts() -> None:
    """Sound of the wordings."""


@prompts.command("render")
@click.option("--language", "language", help="Only this language.")
@click.option(
    "--engine", type=click.Choice(["google", "offline"]), help="Only this engine, replacing lesser ones."
)
@spoken
def render(language: str | None, engine: str | None) -> None:
    """Make the sound that is missing. Run again, it makes nothing twice."""
    from rich.progress import Progress  # noqa: PLC0415 - only this command needs these

    from gateway.services import speech  # noqa: PLC0415

    wired = runtime()
    if language and language not in wired.library.languages:
        raise Refused("no_language")
    languages = [language] if language else list(wired.library.languages)
    engines = ("recorded", engine) if engine else wired.settings.speech
    with Progress(disable=not sys.stdout.isatty()) as progress:
        bar = progress.add_task("Speaking", total=None)
        made, failed = speech.render_prompts(
            wired,
            languages,
            engines=engines,
            only=engine,
            step=lambda done, every: progress.update(bar, completed=done, total=every),
            processes=1 if engine == "google" else 2,
        )
    for one in failed:
        click.echo(f"{one.language} {one.key}: no engine could speak it", err=True)
    click.echo(f"Made {made}, {len(failed)} could not be made.")
    sys.exit(1 if failed else 0)
