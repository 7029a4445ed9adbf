"""Commands about programmes: write, list, approve, launch, steer, results. They act in an account's name."""

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from gateway.cli import spoken
from gateway.cli.running import runtime
from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import campaigns, programmes, results
from gateway.services.campaigns import Plan
from gateway.store import counselors
from gateway.store import outreach as rows
from gateway.store.campaigns import CampaignState
from gateway.store.consents import Way

_LOOK_EVERY = 0.3
_account = click.option("--as", "alias", required=True, help="The account in whose name.")


_voice = click.option(
    "--voice",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A person's voice instead of text.",
)


@click.group()
def outreach() -> None:
    """Programmes made from text, and the calls that bring them to who asked."""


def _id_of(wired: Runtime, alias: str) -> str:
    with wired.database.read() as session:
        account = counselors.by_alias(session, alias)
    if account is None or account.disabled:
        raise Refused("no_such_account")
    return account.id


def _version(wired: Runtime, version: str) -> rows.Version:
    with wired.database.read() as session:
        there = rows.version(session, version)
    if there is None:
        raise Refused("gone")
    return there


@outreach.command("create")
@click.option("--title", required=True)
@click.option("--topic", type=click.Choice(programmes.TOPICS), required=True)
@click.option("--language", default="my", show_default=True)
@click.option(
    "--days", type=click.IntRange(1, 400), default=7, show_default=True, help="Valid for so many days."
)
@_voice
@_account
@spoken
def create(title: str, topic: str, language: str, days: int, voice: Path | None, alias: str) -> None:
    """Write a programme; its text is read from standard input and rendered by the worker, or a voice's file kept."""
    wired = runtime()
    content = _content(language, voice, by_text=False)
    draft = programmes.Draft(title, topic, wired.clock.now() + timedelta(days=days), [content])
    click.echo(programmes.write(wired, _id_of(wired, alias), draft)[0])


@outreach.command("change")
@click.argument("version")
@click.option("--language", default="my", show_default=True)
@click.option("--by-text", is_flag=True, help="One short text, for those who asked for texts.")
@_voice
@_account
@spoken
def change(version: str, language: str, *, by_text: bool, voice: Path | None, alias: str) -> None:
    """A new version of a programme, in this language; read as `create` reads it."""
    wired = runtime()
    programme = _version(wired, version).programme
    content = _content(language, voice, by_text=by_text)
    click.echo(programmes.change(wired, _id_of(wired, alias), programme, content))


def _content(language: str, voice: Path | None, *, by_text: bool) -> programmes.Content:
    if voice is not None:
        return programmes.Content(language, sound=voice.read_bytes())
    return programmes.Content(language, sys.stdin.read(), way=Way.TEXT if by_text else Way.CALL)


@outreach.command("render")
@click.argument("version")
@spoken
def render(version: str) -> None:
    """Wait until a worker has made a programme's sound; what failed is tried again. What is made stays as it is."""
    from rich.progress import Progress  # noqa: PLC0415 - only this command needs it

    wired = runtime()
    programmes.speak_again(wired, version)
    with Progress(disable=not sys.stdout.isatty()) as progress:
        bar = progress.add_task("Speaking", total=None)
        while (there := _version(wired, version)).state is rows.VersionState.RENDERING:
            progress.update(bar, completed=there.pieces_done, total=there.pieces_all)
            time.sleep(_LOOK_EVERY)
    click.echo(there.state)
    sys.exit(1 if there.state is rows.VersionState.FAILED else 0)


@outreach.command("list")
@spoken
def everything() -> None:
    """The latest programmes: id, state, language, title."""
    with runtime().database.read() as session:
        for version in rows.latest_versions(session, most=50):
            click.echo(f"{version.id}  {version.state:<9}  {version.language}  {version.title}")


@outreach.command("show")
@click.argument("version")
@spoken
def show(version: str) -> None:
    """State, length, voice and manifest of a programme, and where its sounds are, to listen to."""
    wired = runtime()
    with wired.database.read() as session:
        there = rows.version(session, version)
    if there is None:
        raise Refused("gone")
    voice = "robot voice" if there.robot else "human voice"
    click.echo(f"{there.state}  {there.language}  {there.seconds} s  {voice}\nmanifest {there.manifest}")
    for sound in there.sounds:
        click.echo(f"{wired.settings.public_url}/audio/{sound}.wav")


@outreach.command("approve")
@click.argument("version")
@click.option("--manifest", required=True, help="The hash of exactly the bytes you heard.")
@_account
@spoken
def approve(version: str, manifest: str, alias: str) -> None:
    """Approve what another wrote, after listening to it."""
    wired = runtime()
    programmes.approve(wired, version, _id_of(wired, alias), manifest)


def _planned(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say who is meant, when, and at what cost."""
    for option in (
        click.option(
            "--topic", type=click.Choice(programmes.TOPICS), help="Only who asked for this, or for all."
        ),
        click.option("--oldest", type=click.IntRange(0, 400), help="Only who asked within so many days."),
        click.option(
            "--youngest", type=click.IntRange(0, 400), help="Only who asked longer ago than so many days."
        ),
        click.option(
            "--days",
            type=click.IntRange(1, 14),
            default=1,
            show_default=True,
            help="Spread over so many days.",
        ),
        click.option(
            "--starts",
            type=click.DateTime(["%Y-%m-%dT%H:%M"]),
            help="Not before this, in the hotline's time.",
        ),
        click.option(
            "--lasts",
            type=click.IntRange(1, 30),
            default=2,
            show_default=True,
            help="No call or text later than so many days.",
        ),
        click.option("--cap", type=click.FloatRange(0.01, 1_000_000), help="What it may cost at most."),
    ):
        command = option(command)
    return command


def _plan(wired: Runtime, given: dict[str, Any]) -> Plan:
    starts, cap = given["starts"], given["cap"]
    return Plan(
        starts=starts.replace(tzinfo=wired.settings.timezone) if starts else None,
        lives=timedelta(days=given["lasts"]),
        days=given["days"],
        topic=given["topic"],
        youngest=given["youngest"],
        oldest=given["oldest"],
        cap=None if cap is None else Decimal(str(cap)),
    )


@outreach.command("audience")
@click.argument("version")
@_planned
@spoken
def audience(version: str, **given: Any) -> None:
    """How many are meant with this programme, and what that may cost."""
    wired = runtime()
    there = _version(wired, version)
    people = campaigns.size(wired, there, _plan(wired, given))
    click.echo(campaigns.shown(people))
    if people >= results.SMALL:
        low, high = campaigns.estimate(wired, there, people)
        click.echo(f"about {low:.2f} if half of them hear it to the end at once, never more than {high:.2f}")


@outreach.command("launch")
@click.argument("version")
@_planned
@_account
@spoken
def launch(version: str, alias: str, **given: Any) -> None:
    """Ring, or text, everybody who is meant; prints the campaign's id. The same again is the same campaign."""
    wired = runtime()
    click.echo(campaigns.launch(wired, version, _id_of(wired, alias), _plan(wired, given)))


def _steering(name: str, to: CampaignState, words: str) -> None:
    @outreach.command(name, help=words)
    @click.argument("campaign")
    @_account
    @spoken
    def steer(campaign: str, alias: str) -> None:
        wired = runtime()
        campaigns.steer(wired, campaign, _id_of(wired, alias), to=to)


_steering(
    "pause",
    CampaignState.PAUSED,
    "Nobody further is rung or texted until resumed; phones that ring stop ringing.",
)
_steering("resume", CampaignState.RUNNING, "Go on.")
_steering("cancel", CampaignState.CANCELED, "End it for good.")


@outreach.command("results")
@click.argument("campaign")
@click.option("--csv", "as_table", is_flag=True, help="As a table, to keep.")
@spoken
def show_results(campaign: str, *, as_table: bool) -> None:
    """How many were reached and how it went; small groups hidden."""
    wired = runtime()
    if as_table:
        click.echo(results.as_csv(wired, campaign), nl=False)
        return
    there = results.of_campaign(wired, campaign)
    state = "stopped: cap reached" if there.capped else there.state
    lines = {"state": state, "listed": there.listed, "left": there.left}
    lines |= {**there.outcomes, **there.listened, **there.aside, "spent": f"{there.spent:.2f}"}
    for what, count in lines.items():
        click.echo(f"{what:<14} {count}")
