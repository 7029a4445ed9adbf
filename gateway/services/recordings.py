"""A person's voice for a wording: taken in, listened to and approved by a second person, then heard by callers."""

from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.store import audit, scripts, sounds
from gateway.store.scripts import Recording
from gateway.store.sounds import text_hash
from prompts import intake
from prompts.intake import Unusable


def take_in(runtime: Runtime, account: str, *, language: str, key: str, text: str, data: bytes) -> str:
    """Keep what somebody recorded of exactly this text, as telephone sound and nothing else. Return its id.

    Raises `Refused`: no_sound_file, sound_too_big, sound_too_long, silent_sound.
    """
    try:
        wav = intake.telephone_sound(data)
    except Unusable as error:
        raise Refused(error.why) from None
    now, name = runtime.clock.now(), runtime.shelf.put(wav)
    new = Recording(
        id=runtime.new_id(),
        language=language,
        key=key,
        text_hash=text_hash(text),
        sound=name,
        uploaded_by=account,
        uploaded=now,
        approved_by=None,
        approved=None,
    )
    with runtime.database.write() as session:
        sounds.keep(session, name, wav)
        scripts.add_recording(session, new)
        audit.note(session, what="recording_taken_in", account=account, subject=new.id, now=now)
    return new.id


def approve(runtime: Runtime, account: str, recording: str, sound: str) -> None:
    """Have callers hear it in place of any engine. Raises `Refused`: gone_recording, own_recording, changed."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = scripts.recording(session, recording)
        if there is None:
            raise Refused("gone_recording")
        if there.uploaded_by == account:
            raise Refused("own_recording")
        if there.sound != sound or not scripts.approve_recording(session, there, by=account, now=now):
            raise Refused("changed")
        audit.note(session, what="recording_approved", account=account, subject=recording, now=now)
    runtime.voices.forget()


def remove(runtime: Runtime, account: str, recording: str) -> None:
    """Take it back; where it was heard, an engine speaks its wording again within seconds. Raises `Refused`."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = scripts.recording(session, recording)
        if there is None:
            raise Refused("gone_recording")
        scripts.drop_recording(session, recording)
        audit.note(session, what="recording_removed", account=account, subject=recording, now=now)
    runtime.voices.forget()
