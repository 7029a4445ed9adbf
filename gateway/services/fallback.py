"""What the carrier plays when nothing of ours answers: a few files that any static host can serve.

They are written by `hotline fallback` and hold nothing of anybody. What they say is true whenever it is heard, also in
the middle of a call: that the line cannot be reached now, never that something was or was not kept.
"""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gateway.errors import StoreDown
from gateway.runtime import Runtime
from gateway.services import speech

PROMPT: Final = "out_of_reach"
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_LONGEST: Final = 15


def documents(runtime: Runtime) -> dict[str, bytes]:
    """Every file by its name. Raises `StoreDown` where the sentence has no sound yet."""
    base = runtime.settings.fallback_url
    files: dict[str, bytes] = {}
    for language in runtime.library.languages:
        sound = runtime.sound(language, PROMPT)
        path = speech.wav_file(runtime, sound.sound) if sound else None
        if path is None:
            raise StoreDown(f"no sound of it in {language} yet: run hotline prompts render")
        files[f"sorry.{language}.wav"] = path.read_bytes()
    plays = "".join(f"<Play>{base}/{name}</Play>" if base else f"<Play>{name}</Play>" for name in files)
    said = {
        "voice.xml": f"<Response>{plays}<Hangup/></Response>",  # a public number's
        "reject.xml": '<Response><Reject reason="busy"/></Response>',  # of lines that are only rung
        "hangup.xml": "<Response><Hangup/></Response>",  # of calls that we place: who answers may not be she
        "sms.xml": "<Response/>",  # a text that nobody reads gets no answer
    }
    return files | {name: f"{_HEAD}{body}\n".encode() for name, body in said.items()}


def write(runtime: Runtime, folder: Path) -> list[str]:
    """Write the files into this folder. Return their names."""
    files = documents(runtime)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.write_bytes(content)
        path.chmod(0o644)  # they are public
    return sorted(files)


def shown(runtime: Runtime) -> list[str]:
    """Which files stand otherwise at `HOTLINE_FALLBACK_URL` than they would be written now."""
    base = runtime.settings.fallback_url
    if base is None or urlsplit(base).scheme not in ("http", "https"):
        return []
    import requests  # noqa: PLC0415 - only the doctor fetches anything, and 10 ms of every start are worth it

    wrong = []
    for name, content in documents(runtime).items():
        try:
            answer = requests.get(f"{base}/{name}", timeout=_LONGEST, allow_redirects=False)
        except requests.RequestException:
            wrong.append(name)
            continue
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        right = (
            ("text/xml", "application/xml")
            if name.endswith(".xml")
            else ("audio/wav", "audio/x-wav", "audio/wave")
        )
        if answer.status_code != 200 or answer.content != content or kind not in right:
            wrong.append(name)
    return wrong
