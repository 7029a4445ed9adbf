"""Measures the signed voice and SMS webhooks beside a bare hello and the usual way, on one gunicorn worker each."""

import argparse
import secrets
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]  # run as a script

from front_door import build_template  # noqa: E402 -- after the line above
from measuring import Load, filesystem, gunicorn, http, load, middle, table, write  # noqa: E402
from real_redis import RedisServer  # noqa: E402
from sqlalchemy import create_engine, text  # noqa: E402
from twilio.request_validator import RequestValidator  # noqa: E402

from gateway import settings as gateway_settings  # noqa: E402
from gateway.phone import Msisdn  # noqa: E402
from gateway.runtime import build_runtime  # noqa: E402
from gateway.services import counselors  # noqa: E402
from gateway.store.counselors import Role  # noqa: E402

LISTENS = ["2", "1"]  # information, about health
ASKS = ["1", "1", "5"]  # ring me, within the hour, and my own number is five
MIX = (
    LISTENS,
    ASKS,
    LISTENS,
)  # ten webhooks: three first requests of a call, six menu keys, one registration
WORDS = ("0", "1", "12", "ဖုန်းခေါ်ပါ", "အရပ်သားတွေ ရောက်နေတယ်", "10")
COLUMNS = (
    "webhook", "CPU, µs", "× hello", "p50, ms", "p99, ms", "× hello", "p99 of 8 at once, ms", "× hello", "requests/s",
)  # fmt: skip
# There are 1,440 handles, so the registered are ended before the next are sent.
ENDED = "UPDATE callbacks SET ended = asked, state = 'done' WHERE ended IS NULL"
Rounds = dict[str, list[tuple[Load, Load]]]


class Carrier:
    """Signs what a carrier would send, before anything is measured."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.here = gateway_settings.load(environment)
        self._validator = RequestValidator(self.here.twilio_auth_token)
        self._line = self.here.numbers[0].reveal("demo")

    def call(self, keys: Sequence[str]) -> list[bytes]:
        """One call of a number that never called before."""
        form = {
            "CallSid": "CA" + secrets.token_hex(16), "From": _number(), "To": self._line, "Called": self._line,
            "CallStatus": "ringing", "Direction": "inbound", "FromCountry": "MM", "ToCountry": "US",
            "CallerCountry": "MM", "CalledCountry": "US",
        }  # fmt: skip
        first = self._signed("/twilio/voice", form)
        form["CallStatus"] = "in-progress"
        more = {"FinishedOnKey": "", "msg": "Gather End"}
        return [
            first,
            *(
                self._signed(f"/twilio/voice/turn/{at}", {**form, **more, "Digits": key})
                for at, key in enumerate(keys, start=1)
            ),
        ]

    def text(self, words: str) -> list[bytes]:
        form = {
            "MessageSid": "SM" + secrets.token_hex(16), "From": _number(), "To": self._line, "Body": words,
            "NumMedia": "0", "NumSegments": "1", "FromCountry": "MM", "ToCountry": "US",
        }  # fmt: skip
        return [self._signed("/twilio/sms", form)]

    def _signed(self, path: str, form: dict[str, str]) -> bytes:
        form = {"AccountSid": self.here.twilio_account_sid, "ApiVersion": "2010-04-01", **form}
        signature = self._validator.compute_signature(self.here.public_url + path, form)
        headers = {"X-Twilio-Signature": signature, "User-Agent": "TwilioProxy/1.1", "Accept": "*/*"}
        return http("POST", path, urlencode(form).encode(), **headers)


def _number() -> str:
    return f"+9597{secrets.randbelow(50_000_000) + 50_000_000}"  # in use, so that nobody's tables call it unlikely


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--requests", type=int, default=1000, help="a round, a server and a way of sending")
    ask.add_argument("--rounds", type=int, default=5)
    asked = ask.parse_args()
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as name:
        folder = Path(name)
        build_template(folder)
        redis = RedisServer(folder)
        redis.start()
        try:
            rounds = _measure(folder, redis.url, asked.requests, asked.rounds)
        finally:
            redis.kill()
        _report(rounds, folder, asked.requests, asked.rounds)


def _measure(folder: Path, redis_url: str, count: int, rounds: int) -> Rounds:
    environment = gateway_settings.read_env_file(folder / "demo.env") | {
        "HOTLINE_DATA_DIR": str(folder),
        "HOTLINE_FACES": "webhooks",
        "HOTLINE_ARRIVALS_PER_MINUTE": "100000",  # or most of a burst would meet a busy signal
        "HOTLINE_REQUESTS_PER_HOUR": "100000",
        "REDIS_URL": redis_url,
    }
    carrier = Carrier(environment)
    usual = f"sqlite:///{folder}/usual.db"
    keep = {"voice": (carrier.here.database_url, ENDED), "usual": (usual, "DELETE FROM wanted")}
    counselor_on_shift(environment)
    found: Rounds = {name: [] for name in ("hello", "voice", "usual", "text")}
    with (
        gunicorn("hello:app", {}) as hello,
        gunicorn("app:app", environment) as ours,
        gunicorn("usual:app", {**environment, "USUAL_DATABASE_URL": usual}) as peer,
    ):
        servers = {"hello": hello, "voice": ours, "usual": peer, "text": ours}
        for turn in range(-1, rounds):  # the first only warms up
            for name, server in servers.items():
                few = count if turn >= 0 else min(count, 100)
                pair = []
                for many in (1, 8):
                    pair.append(load(server, _dialogues(name, carrier, few), at_once=many))
                    if name in keep:  # what was said to be registered is really there
                        assert _changed(*keep[name]) == few // 10
                    _changed(*keep["voice"])
                if turn >= 0:
                    found[name].append((pair[0], pair[1]))
    return found


def counselor_on_shift(environment: dict[str, str]) -> None:
    runtime = build_runtime(gateway_settings.load(environment))
    phone = Msisdn.parse("+66812345001")
    counselors.add(runtime, "bench", Role.COUNSELOR, "correct horse battery", number=phone, language="en")
    counselors.set_shift(runtime, "bench", on=True)
    runtime.database.close()


def _dialogues(name: str, carrier: Carrier, count: int) -> list[list[bytes]]:
    match name:
        case "hello":
            return [[http("GET", "/")]] * count
        case "text":
            return [carrier.text(WORDS[at % len(WORDS)]) for at in range(count)]
        case _:
            return [carrier.call(keys) for _ in range(count // 10) for keys in MIX]


def _changed(url: str, statement: str) -> int:
    engine = create_engine(url)
    with engine.begin() as session:
        count = session.execute(text(statement)).rowcount
    engine.dispose()
    return count


def _report(rounds: Rounds, folder: Path, count: int, times: int) -> None:
    alone = {name: middle([one for one, _ in pairs]) for name, pairs in rounds.items()}
    loaded = {name: middle([eight for _, eight in pairs]) for name, pairs in rounds.items()}
    names = {
        "hello": "bare Flask hello",
        "voice": "the hotline, a voice turn",
        "usual": "the usual way, the same turn",
        "text": "the hotline, a text answered",
    }
    rows = []
    for name, title in names.items():
        one, eight, floor = alone[name], loaded[name], alone["hello"]
        rows.append(
            (
                title,
                f"{one.cpu:.0f}", f"{one.cpu / floor.cpu:.2f}",
                f"{one.p50:.2f}", f"{one.p99:.2f}", f"{one.p99 / floor.p99:.1f}",
                f"{eight.p99:.1f}", f"{eight.p99 / loaded['hello'].p99:.1f}", f"{eight.rate:.0f}",
            )
        )  # fmt: skip
    write(
        "webhooks",
        "Webhooks",
        _HOW.format(n=count, rounds=times, disk=filesystem(folder)),
        table(COLUMNS, rows),
    )


_HOW = """One gunicorn worker each (`gateway.serving`: gthread, four threads), SQLite in WAL mode with
`synchronous=FULL` on {disk} for both ways, the bundled Valkey running, every request really signed. Of ten
voice webhooks three are the first of a call, six a menu key (2, 1; 1, 1), one a registration that makes a
new number's keys (5). Texts: 0, 1, 12 (a registration), a word, a sentence, 10; each from a new number. CPU
is the worker's own, user and kernel, per request. Latencies of one request at a time, then of eight callers
at once; {n} requests a round, {rounds} rounds in turns (hello, voice, usual, texts), medians. Every voice
registration was found stored."""


if __name__ == "__main__":
    main()
