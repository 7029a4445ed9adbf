"""Measures a programme of half an hour: made by the voice on board, one sentence changed, and brought as an MP3."""

import resource
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]  # run as a script

from measuring import table, write  # noqa: E402

from gateway import settings as gateway_settings  # noqa: E402
from gateway.runtime import Runtime, build_runtime  # noqa: E402
from gateway.services import programmes, rendering  # noqa: E402
from gateway.services.programmes import Content, Draft  # noqa: E402
from gateway.store import migrations, outbox, outreach  # noqa: E402
from gateway.store.outreach import Version  # noqa: E402
from gateway.vault import Vault  # noqa: E402
from prompts import audio, intake, wav  # noqa: E402
from prompts.speech.offline import Offline  # noqa: E402

SENTENCES = (
    "ရေကို သောက်ခါနီး ဆူပွက်အောင် တည်ပါ။", "ဆူပြီး တစ်မိနစ်လောက် ဆက်တည်ပါ။",
    "အဖုံးပါတဲ့ သန့်ရှင်းတဲ့ ဘူးထဲမှာ ထည့်ထားပါ။", "ထမင်းမစားခင် လက်ကို ဆပ်ပြာနဲ့ ဆေးပါ။",
    "ကလေး ဝမ်းလျှောရင် ရေများများ ခဏခဏ တိုက်ပါ။",
)  # fmt: skip
COUNT = 430  # sentences, each said only once
MEGA = 1024


def text() -> str:
    return "".join(f"{number} {SENTENCES[number % len(SENTENCES)]} " for number in range(COUNT))


def made(runtime: Runtime, version: str) -> tuple[Version, float, int]:
    """The version as it came out, the seconds of the processor, and how many sentences the engine spoke."""
    spoken, original = 0, Offline.speak

    def speak(self: Offline, words: str, language: str) -> bytes:
        nonlocal spoken
        spoken += 1
        return original(self, words, language)

    began = time.process_time()
    with patch.object(Offline, "speak", speak):
        while True:
            now = runtime.clock.now()
            with runtime.database.read() as session:
                due = outbox.due(session, now=now, stale=now - timedelta(seconds=60), most=1)
                there = outreach.version(session, version)
            if not due or there is None:
                break
            rendering.render(runtime, due[0])
    took = time.process_time() - began
    assert there is not None
    assert there.seconds
    return there, took, spoken


def peak() -> str:
    return str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MEGA)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = gateway_settings.demo_environment(Path(folder), 8000) | {"HOTLINE_SPEECH": "offline"}
        settings = gateway_settings.load(environment)
        Vault.prepare(settings)
        runtime = build_runtime(settings)
        migrations.upgrade(runtime.database)
        rows = [("before anything", "", "", peak())]
        until = runtime.clock.now() + timedelta(days=7)
        draft = Draft("Water", "health", until, [Content("my", text())])
        (first,) = programmes.write(runtime, "author", draft)
        one, took, spoken = made(runtime, first)
        rows.append(("the text into sound, levelled, joined, cut", f"{took:.1f}", str(spoken), peak()))
        changed = Content("my", text().replace("77 ", "1077 ", 1))
        second = programmes.change(runtime, "author", one.programme, changed)
        _, took, spoken = made(runtime, second)
        rows.append(("one sentence changed", f"{took:.1f}", str(spoken), peak()))
        began = time.process_time()
        player = rendering.whole_mp3(runtime, one)
        assert player
        rows.append(
            ("the whole for the player, once a host", f"{time.process_time() - began:.1f}", "", peak())
        )
        pieces = [runtime.shelf.path(name) for name in one.sounds]
        mp3 = audio.to_mp3(wav.join([path.read_bytes() for path in pieces if path], 0))
        intake.telephone_sound(mp3, intake.PROGRAMME)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        took = used.ru_utime + used.ru_stime
        rows.append(("the same brought as an MP3, in a process of its own", f"{took:.1f}", "", ""))
        runtime.database.close()
    write(
        "programmes",
        "A programme of half an hour",
        f"{one.seconds / 60:.0f} minutes of Burmese from {COUNT} sentences by the voice on board, SQLite.",
        table(("what", "processor s", "sentences spoken", "peak MB"), rows),
    )


if __name__ == "__main__":
    main()
