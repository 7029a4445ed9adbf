"""Programmes: written, rendered piece by piece, approved by a second person, heard and sent."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.errors import Refused
from gateway.queue import JOB_CAMPAIGN, JOB_RENDER, JOB_RING_PROGRAMME
from gateway.runtime import Runtime
from gateway.services import dispatch, windows
from gateway.services.errands import Errand, errand, ring_bells
from gateway.services.facts import PIECE_SECONDS
from gateway.services.speech import chain_of
from gateway.store import audit, legs, outbox, outreach, sounds
from gateway.store.database import Session
from gateway.store.outbox import Duty
from gateway.store.outreach import Campaign, CampaignState, Version, VersionState
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


# --- campaigns ----------------------------------------------------------------------------------------


def audience(runtime: Runtime, language: str) -> str:
    """How many would be rung; small groups only as "<5", for four people are not a statistic."""
    with runtime.database.read() as session:
        count = outreach.audience(session, language=language, now=runtime.clock.now())
    return shown(count)


def shown(count: int) -> str:
    return "<5" if 0 < count < 5 else str(count)


def launch(runtime: Runtime, version: str, account: str, *, lives: timedelta = timedelta(days=2)) -> str:
    """Ring everybody whose consent is live. Raises `Refused`: feature_off, not_approved, running, nobody."""
    now = runtime.clock.now()
    if not runtime.switches.on("programme_calls"):
        raise Refused("feature_off")
    campaign = runtime.new_id()
    with runtime.database.write() as session:
        there = outreach.version(session, version)
        if there is None or not there.may_be_heard(now):
            raise Refused("not_approved")
        open_states = (CampaignState.RUNNING, CampaignState.PAUSED)
        if any(one.state in open_states for one in outreach.campaigns_of(session, version)):
            raise Refused("running")
        not_after = min(now + lives, there.valid_until)
        count = outreach.launch(
            session,
            language=there.language,
            id=campaign,
            version=version,
            launched_by=account,
            launched=now,
            not_after=not_after,
        )
        if not count:
            raise Refused("nobody")
        settings = runtime.settings
        due = windows.after_quiet(now, settings.quiet_hours, settings.timezone)
        bell = errand(session, runtime, JOB_CAMPAIGN, campaign, due=due, lives=not_after - now)
        audit.note(session, what="campaign_launched", account=account, subject=campaign, now=now)
    ring_bells(runtime, [bell])
    return campaign


def steer(runtime: Runtime, campaign: str, account: str, *, to: CampaignState) -> None:
    """Pause, resume or cancel; takes effect with the next call. Raises `Refused("not_now")`."""
    allowed = {
        CampaignState.PAUSED: (CampaignState.RUNNING,),
        CampaignState.RUNNING: (CampaignState.PAUSED,),
        CampaignState.CANCELED: (CampaignState.RUNNING, CampaignState.PAUSED),
    }
    now = runtime.clock.now()
    with runtime.database.write() as session:
        if to not in allowed or not outreach.move_campaign(session, campaign, from_=allowed[to], to=to):
            raise Refused("not_now")
        audit.note(session, what=f"campaign_{to}", account=account, subject=campaign, now=now)


def run_slice(runtime: Runtime, duty: Duty) -> None:
    """Owe a call to the next few recipients, as many as the set rate allows until this job comes back."""
    now = runtime.clock.now()
    settings = runtime.settings
    due = windows.after_quiet(now, settings.quiet_hours, settings.timezone)
    errands: list[Errand] = []
    with runtime.database.write() as session:
        campaign = outreach.campaign(session, duty.subject)
        if campaign is None or campaign.state in (CampaignState.CANCELED, CampaignState.DONE):
            outbox.finish(session, duty.id, now=now, result="over")
            return
        if campaign.not_after <= now:
            outreach.move_campaign(session, campaign.id, from_=(campaign.state,), to=CampaignState.DONE)
            outbox.finish(session, duty.id, now=now, result="too_late")
            return
        if campaign.state is CampaignState.PAUSED or due > now:
            outbox.again(session, duty.id, due=max(due, now + timedelta(seconds=2)), count=False)
            return
        free = max(0, max(1, settings.calls_at_once - 2) - legs.live(session))
        most = min(free, max(1, round(settings.calls_per_second)))
        for recipient in outreach.due_recipients(session, campaign.id, now=now, most=most):
            if outreach.move_recipient(
                session, recipient.id, from_=("pending",), to="calling", attempts=recipient.attempts + 1
            ):
                lives = min(timedelta(minutes=2), campaign.not_after - now)
                errands.append(
                    errand(session, runtime, JOB_RING_PROGRAMME, recipient.id, due=now, lives=lives)
                )
        _next_slice(session, duty, campaign, now)
    ring_bells(runtime, errands)


def _next_slice(session: Session, duty: Duty, campaign: Campaign, now: datetime) -> None:
    if outreach.unfinished(session, campaign.id):
        upcoming = outreach.next_due(session, campaign.id)
        soon = now + timedelta(seconds=1)
        due = max(soon, min(upcoming or soon, now + timedelta(minutes=1)))
        outbox.again(session, duty.id, due=due, count=False)
    else:
        outreach.move_campaign(session, campaign.id, from_=(CampaignState.RUNNING,), to=CampaignState.DONE)
        outbox.finish(session, duty.id, now=now, result="done")


def results(runtime: Runtime, campaign: str) -> dict[str, str]:
    """How many in each state; small groups hidden."""
    with runtime.database.read() as session:
        return {state: shown(count) for state, count in outreach.results(session, campaign).items()}
