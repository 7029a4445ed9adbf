"""Programmes: written, made into sound piece by piece, approved by a second person, and taken back."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.errors import Refused
from gateway.queue import JOB_RENDER
from gateway.runtime import Runtime
from gateway.services import dispatch
from gateway.services.errands import errand, ring_bells
from gateway.services.facts import PIECE_SECONDS
from gateway.services.speech import chain_of
from gateway.store import audit, outbox, outreach, sounds
from gateway.store.outbox import Duty
from gateway.store.outreach import CampaignState, Version, VersionState
from prompts import audio
from prompts.errors import SpeechError

LONGEST_TEXT = 60_000
LONGEST_TITLE = 120
TOPICS = ("health", "place", "food", "allowance", "training", "family", "legal", "news")
SLICE = timedelta(seconds=8)  # a worker renders for so long, then lets calls go first
RENDER_LIVES = timedelta(hours=12)
PAUSE_BETWEEN = 0.4
_SENTENCE = re.compile(r"[^။!?.\n]*[။!?.\n]+|[^။!?.\n]+$")
_PIECE_CHARACTERS = 400  # text spoken in one go; a changed sentence makes one piece anew


@dataclass(frozen=True, slots=True)
class Draft:
    """What a coordinator writes."""

    title: str
    topic: str
    language: str
    text: str
    valid_until: datetime


def write(runtime: Runtime, account: str, draft: Draft) -> str:
    """Keep a programme's text and have the worker turn it into sound. Return the version's id.

    Raises `Refused` with what is wrong: empty, too_long, no_topic, no_language, not_valid.
    """
    now = runtime.clock.now()
    text = draft.text.strip()
    for wrong, why in (
        (not text or not draft.title.strip(), "empty"),
        (len(text) > LONGEST_TEXT or len(draft.title) > LONGEST_TITLE, "too_long"),
        (draft.topic not in TOPICS, "no_topic"),
        (draft.language not in runtime.library.languages, "no_language"),
        (draft.valid_until <= now, "not_valid"),
    ):
        if wrong:
            raise Refused(why)
    programme, version = runtime.new_id(), runtime.new_id()
    with runtime.database.write() as session:
        outreach.add_programme(
            session,
            id=programme,
            title=draft.title.strip(),
            topic=draft.topic,
            valid_until=draft.valid_until,
            created=now,
        )
        outreach.add_version(
            session,
            id=version,
            programme=programme,
            language=draft.language,
            text=text,
            author=account,
            state=VersionState.RENDERING,
            pieces_all=len(spoken_pieces(text)),
            created=now,
        )
        bell = errand(session, runtime, JOB_RENDER, version, due=now, lives=RENDER_LIVES)
        audit.note(session, what="programme_written", account=account, subject=version, now=now)
    ring_bells(runtime, [bell])
    return version


def spoken_pieces(text: str) -> list[str]:
    """Cut a text at sentence ends into pieces that are spoken, and cached, each by itself."""
    pieces: list[str] = []
    for match in _SENTENCE.finditer(text):
        sentence = match.group().strip()
        if not sentence:
            continue
        if pieces and len(pieces[-1]) + len(sentence) < _PIECE_CHARACTERS:
            pieces[-1] += " " + sentence
        else:
            pieces.append(sentence)
    return pieces


def render(runtime: Runtime, duty: Duty) -> None:
    """Speak the next pieces of a version for a slice of time; done, cut it into what the line plays."""
    with runtime.database.read() as session:
        version = outreach.version(session, duty.subject)
    if version is None or version.state is not VersionState.RENDERING:
        dispatch.finish(runtime, duty, "not_wanted")
        return
    pieces = spoken_pieces(version.text)
    began = datetime.now().astimezone()
    wavs: list[bytes] = []
    spoken_by: list[tuple[str, bool]] = []
    for number, piece in enumerate(pieces, start=1):
        try:
            wav, engine, robot = _spoken(runtime, version.language, piece)
        except SpeechError:
            _failed(runtime, duty, version)
            return
        wavs.append(wav)
        spoken_by.append((engine, robot))
        if number > version.pieces_done:
            with runtime.database.write() as session:
                outreach.change_version(session, version.id, pieces_done=number)
            if number < len(pieces) and datetime.now().astimezone() - began > SLICE:
                with runtime.database.write() as session:
                    outbox.again(session, duty.id, due=runtime.clock.now(), count=False)
                return
    whole = audio.join(wavs, PAUSE_BETWEEN)
    cut = audio.cut(whole, PIECE_SECONDS)
    names = [runtime.shelf.put(piece) for piece in cut]
    with runtime.database.write() as session:
        for name, wav in zip(names, cut, strict=True):
            sounds.keep(session, name, wav)
        outreach.change_version(
            session,
            version.id,
            state=VersionState.READY,
            sounds=" ".join(names),
            manifest=hashlib.sha256(" ".join(names).encode()).hexdigest(),
            engine=spoken_by[0][0],
            robot=any(robot for _, robot in spoken_by),
            seconds=round(audio.duration(whole)),
            pieces_done=len(pieces),
        )
        outbox.finish(session, duty.id, now=runtime.clock.now(), result="done")


def _spoken(runtime: Runtime, language: str, piece: str) -> tuple[bytes, str, bool]:
    """A piece's sound, engine and whether a robot spoke: made once for this text, engine list and language."""
    engines = [name for name in runtime.settings.speech if name != "recorded"]
    key = hashlib.sha256("\0".join((*engines, language, piece)).encode()).hexdigest()
    with runtime.database.read() as session:
        there = sounds.rendering(session, key)
        wav = sounds.wav(session, there[0]) if there else None
    if there and wav:
        return wav, there[1], there[2]
    spoken = chain_of(engines).speak(piece, language)
    name = runtime.shelf.put(spoken.wav)
    with runtime.database.write() as session:
        sounds.keep(session, name, spoken.wav)
        sounds.keep_rendering(session, key, sound=name, engine=spoken.engine, robot=spoken.robot)
    return spoken.wav, spoken.engine, spoken.robot


def _failed(runtime: Runtime, duty: Duty, version: Version) -> None:
    with runtime.database.write() as session:
        outreach.change_version(session, version.id, state=VersionState.FAILED)
        outbox.finish(session, duty.id, now=runtime.clock.now(), result="failed")


def approve(runtime: Runtime, version: str, account: str, manifest: str) -> None:
    """Approve exactly the bytes that `manifest` names. Raises `Refused("own_text")` for the author, or `changed`."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = outreach.version(session, version)
        if there is not None and there.author == account:
            raise Refused("own_text")
        if not outreach.approve(session, version, manifest=manifest, by=account, now=now):
            raise Refused("changed")
        audit.note(session, what="programme_approved", account=account, subject=version, now=now)


def retire(runtime: Runtime, version: str, account: str) -> None:
    """Nobody hears it from now on, and what was queued of it ends."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        outreach.change_version(session, version, state=VersionState.RETIRED)
        for campaign in outreach.campaigns_of(session, version):
            outreach.move_campaign(
                session,
                campaign.id,
                from_=(CampaignState.RUNNING, CampaignState.PAUSED),
                to=CampaignState.CANCELED,
            )
        audit.note(session, what="programme_retired", account=account, subject=version, now=now)
