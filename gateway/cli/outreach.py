"""Commands about programmes: write, list, approve, launch, steer, results. They act in an account's name."""

import sys
from datetime import timedelta

import click

from gateway.cli import spoken
from gateway.cli.running import runtime
from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import outreach as campaigns
from gateway.services import programmes
from gateway.store import counselors
from gateway.store import outreach as rows
from gateway.store.outreach import CampaignState

_account = click.option("--as", "alias", required=True, help="The account in whose name.")


@click.group()
def outreach() -> None:
    """Programmes made from text, and the calls that bring them to who asked."""


def _id_of(wired: Runtime, alias: str) -> str:
    with wired.database.read() as session:
        account = counselors.by_alias(session, alias)
    if account is None or account.disabled:
        raise Refused("no_such_account")
    return account.id


@outreach.command("create")
@click.option("--title", required=True)
@click.option("--topic", type=click.Choice(programmes.TOPICS), required=True)
@click.option("--language", default="my", show_default=True)
@click.option("--days", default=7, show_default=True, help="Valid for so many days.")
@_account
@spoken
def create(title: str, topic: str, language: str, days: int, alias: str) -> None:
    """Write a programme; its text is read from standard input and rendered by the worker."""
    wired = runtime()
    draft = programmes.Draft(
        title, topic, language, sys.stdin.read(), wired.clock.now() + timedelta(days=days)
    )
    click.echo(programmes.write(wired, _id_of(wired, alias), draft))


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


@outreach.command("audience")
@click.option("--language", default="my", show_default=True)
@spoken
def audience(language: str) -> None:
    """How many asked for programmes by call in this language."""
    click.echo(campaigns.audience(runtime(), language))


@outreach.command("launch")
@click.argument("version")
@_account
@spoken
def launch(version: str, alias: str) -> None:
    """Ring everybody whose consent is live."""
    wired = runtime()
    click.echo(campaigns.launch(wired, version, _id_of(wired, alias)))


def _steering(name: str, to: CampaignState, words: str) -> None:
    @outreach.command(name, help=words)
    @click.argument("campaign")
    @_account
    @spoken
    def steer(campaign: str, alias: str) -> None:
        wired = runtime()
        campaigns.steer(wired, campaign, _id_of(wired, alias), to=to)


_steering("pause", CampaignState.PAUSED, "No further calls until resumed.")
_steering("resume", CampaignState.RUNNING, "Go on.")
_steering("cancel", CampaignState.CANCELED, "End it for good.")


@outreach.command("results")
@click.argument("campaign")
@spoken
def results(campaign: str) -> None:
    """How many were reached and how it went; small groups hidden."""
    wired = runtime()
    with wired.database.read() as session:
        if rows.campaign(session, campaign) is None:
            raise Refused("gone")
    for state, count in campaigns.results(wired, campaign).items():
        click.echo(f"{state:<14} {count}")
