"""What `hotline doctor` asks of Twilio: our numbers, what is left there, what may be dialled, the clock."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from gateway.carriers.base import Finding, Wiring
from gateway.errors import CarrierError
from gateway.phone import Msisdn

_A_PAGE: Final = 20
_QUEUED_TOO_LONG: Final = 2_000  # milliseconds
_SKEW: Final = 30  # seconds: codes of the second factor bear no more, and a request's window should not

Ask = Callable[[Callable[[], Any]], Any]


def examine(client: Any, ask: Ask, answered_at: Callable[[], str], wiring: Wiring) -> Iterator[Finding]:
    """Look at everything, one finding after the other; what cannot be asked is a finding too.

    `ask` turns the library's errors into `CarrierError`; `answered_at` gives the last answer's Date header.
    """
    looks: list[tuple[str, Callable[[], Finding]]] = [
        ("provider", lambda: _account(client, ask)),
        ("provider's clock", lambda: _clock(answered_at())),
    ]
    kinds = (
        ("public number", wiring.public),
        ("missed-call number", wiring.missed),
        ("counselors' number", wiring.counselors),
    )
    for kind, lines in kinds:
        for place, line in enumerate(lines, start=1):
            name = f"{kind} {place} of {len(lines)}"
            looks.append((name, lambda name=name, line=line: _number(client, ask, wiring, name, line)))  # type: ignore[misc]
    for country in sorted(wiring.countries):
        name = f"dialling {country}"
        looks.append((name, lambda name=name, country=country: _dialling(client, ask, name, country)))  # type: ignore[misc]
    looks += [
        ("other countries", lambda: _other_countries(client, ask, wiring)),
        ("sound kept", lambda: _sound_kept(client, ask)),
        ("copies left", lambda: _copies(client, ask, wiring)),
        ("bodies of texts", lambda: _bodies(client, ask)),
        ("pace of calls", lambda: _pace(client, ask)),
    ]
    for what, look in looks:
        try:
            yield look()
        except CarrierError as fault:
            words = f"could not be asked ({fault}): look in the provider's console"
            yield Finding(what, good=False if what == "provider" else None, words=words)


def _account(client: Any, ask: Ask) -> Finding:
    account = ask(lambda: client.api.v2010.accounts(client.account_sid).fetch())
    if account.status != "active":
        return Finding(
            "provider", good=False, words="the account is not active: nobody can call or be called"
        )
    if account.type == "Trial":
        return Finding(
            "provider", good=False, words="a trial account: it rings verified numbers only, with a notice"
        )
    return Finding("provider", good=True, words="the account is active and this token opens it")


def _clock(date: str) -> Finding:
    try:
        skew = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())
    except (TypeError, ValueError):
        return Finding("provider's clock", good=None, words="the provider gave no time to compare with")
    if skew > _SKEW:
        words = f"this machine's is {skew:.0f} seconds off: let NTP set it, or codes and windows are wrong"
        return Finding("provider's clock", good=False, words=words)
    return Finding("provider's clock", good=True, words="this machine's agrees")


def _number(client: Any, ask: Ask, wiring: Wiring, name: str, line: Msisdn) -> Finding:
    found = ask(lambda: client.incoming_phone_numbers.list(phone_number=line.reveal("dial"), limit=1))
    if not found:
        return Finding(name, good=False, words="is not among this account's numbers")
    number = found[0]
    faults = [words for right, words in _addresses(number, wiring, line) if not right]
    return Finding(name, good=not faults, words="; ".join(faults) or "its addresses are right")


def _addresses(number: Any, wiring: Wiring, line: Msisdn) -> Iterator[tuple[bool, str]]:
    voice, status = f"{wiring.public_url}/twilio/voice", f"{wiring.public_url}/twilio/voice/status"
    is_public = line in wiring.public
    yield (
        not (number.voice_application_sid or number.trunk_sid),
        "voice is bound to an application or a trunk",
    )
    yield (
        _same(number.voice_url, voice, number.voice_method),
        "set voice to POST HOTLINE_PUBLIC_URL/twilio/voice",
    )
    yield (
        _same(number.status_callback, status, number.status_callback_method),
        "set call status changes to POST HOTLINE_PUBLIC_URL/twilio/voice/status",
    )
    yield not number.voice_caller_id_lookup, "turn caller name lookup off: it tells others who called"
    spare = "voice.xml" if is_public else "reject.xml"
    yield (
        _spare(wiring, number.voice_fallback_url, number.voice_fallback_method, spare),
        f"set voice's fallback to GET HOTLINE_FALLBACK_URL/{spare}",
    )
    if is_public:
        sms = f"{wiring.public_url}/twilio/sms"
        yield not number.sms_application_sid, "texts are bound to an application"
        yield _same(number.sms_url, sms, number.sms_method), "set texts to POST HOTLINE_PUBLIC_URL/twilio/sms"
        yield (
            _spare(wiring, number.sms_fallback_url, number.sms_fallback_method, "sms.xml"),
            "set the texts' fallback to GET HOTLINE_FALLBACK_URL/sms.xml",
        )


def _same(given: str | None, address: str, method: str | None) -> bool:
    return (given or "").partition("#")[0] == address and method == "POST"


def _spare(wiring: Wiring, given: str | None, method: str | None, document: str) -> bool:
    """A fallback is right where it is ours; without an address of ours, where there is any."""
    if wiring.fallback_url is None:
        return bool(given)
    return given == f"{wiring.fallback_url}/{document}" and method == "GET"


def _dialling(client: Any, ask: Ask, name: str, country: str) -> Finding:
    allowed = ask(lambda: client.voice.v1.dialing_permissions.countries(country).fetch())
    if not allowed.low_risk_numbers_enabled:
        return Finding(
            name,
            good=False,
            words="is switched off under Voice, geographic permissions: nobody is rung there",
        )
    if allowed.high_risk_special_numbers_enabled or allowed.high_risk_tollfraud_numbers_enabled:
        return Finding(
            name, good=False, words="switch its high-risk numbers off: they pay whoever has them rung"
        )
    return Finding(name, good=True, words="ordinary numbers only")


def _other_countries(client: Any, ask: Ask, wiring: Wiring) -> Finding:
    name = "other countries"
    paying = ask(
        lambda: client.voice.v1.dialing_permissions.countries.list(
            high_risk_tollfraud_numbers_enabled=True, limit=_A_PAGE
        )
    )
    if paying:
        return Finding(
            name, good=False, words="switch high-risk numbers off everywhere: they pay whoever has them rung"
        )
    dialled = ask(lambda: client.voice.v1.dialing_permissions.countries.list(low_risk_numbers_enabled=True))
    others = [one for one in dialled if one.iso_code not in wiring.countries]
    words = f"{len(others)} more may be dialled: leave on only those where counselors live"
    return Finding(name, good=None if others else True, words=words if others else "none may be dialled")


def _sound_kept(client: Any, ask: Ask) -> Finding:
    kept = ask(lambda: client.recordings.list(limit=1))
    if kept:
        words = "calls were recorded: switch that off and delete them, for the gateway never asks for it"
        return Finding("sound kept", good=False, words=words)
    return Finding("sound kept", good=True, words="no sound of a call is kept there")


def _copies(client: Any, ask: Ask, wiring: Wiring) -> Finding:
    before = wiring.now - wiring.kept
    calls = ask(lambda: client.calls.list(start_time_before=before, limit=1))
    texts = ask(lambda: client.messages.list(date_sent_before=before, limit=1))
    left = [name for name, some in (("calls", calls), ("texts", texts)) if some]
    if left:
        words = f"{' and '.join(left)} older than {wiring.kept.days} days are still listed: delete them there"
        return Finding("copies left", good=False, words=words)
    return Finding("copies left", good=True, words=f"none is older than {wiring.kept.days} days")


def _bodies(client: Any, ask: Ask) -> Finding:
    texts = ask(lambda: client.messages.list(limit=_A_PAGE))
    if any((one.body or "").strip("* ") for one in texts):
        words = "can be read in the provider's log: turn on redaction, and the shortest retention your contract has"
        return Finding("bodies of texts", good=None, words=words)
    return Finding("bodies of texts", good=True, words="none can be read in the provider's log")


def _pace(client: Any, ask: Ask) -> Finding:
    calls = ask(lambda: client.calls.list(limit=_A_PAGE))
    waited = max((_milliseconds(one.queue_time) for one in calls), default=0)
    if waited > _QUEUED_TOO_LONG:
        words = (
            f"a call waited {waited // 1000} s there: set HOTLINE_CALLS_PER_SECOND to what the account has"
        )
        return Finding("pace of calls", good=False, words=words)
    return Finding("pace of calls", good=True, words="none of the last calls waited at the provider")


def _milliseconds(text: object) -> int:
    return int(str(text)) if str(text).isascii() and str(text).isdigit() else 0
