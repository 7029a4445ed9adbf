"""Reads TwiML as strictly as Twilio documents it, into plain data, or raises a `FaultError`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree import ElementTree as ET

LARGEST = 64 * 1024


class FaultError(Exception):
    """Something Twilio would refuse or warn about: its error code, and a sentence for the developer."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Play:
    url: str
    loop: int = 1


@dataclass(frozen=True, slots=True)
class Say:
    text: str
    language: str = "en-US"
    loop: int = 1


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Gather:
    prompts: tuple[Play | Say | Pause, ...]
    action: str | None = None
    method: str = "POST"
    timeout: float = 5.0
    num_digits: int | None = None
    finish_on_key: str = "#"
    action_on_empty: bool = False
    barge_in: bool = True


@dataclass(frozen=True, slots=True)
class Redirect:
    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Reject:
    reason: str = "rejected"


@dataclass(frozen=True, slots=True)
class Hangup:
    pass


@dataclass(frozen=True, slots=True)
class Conference:
    name: str
    start_on_enter: bool = True
    end_on_exit: bool = False
    wait_url: str | None = None
    wait_method: str = "POST"
    most: int = 250
    status_callback: str | None = None
    status_events: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Dial:
    conference: Conference
    action: str | None = None
    method: str = "POST"
    hangup_on_star: bool = False
    time_limit: float = 14400.0


Verb = Play | Say | Pause | Gather | Redirect | Reject | Hangup | Dial

_BOOL = re.compile(r"true|false")
_METHOD = re.compile(r"GET|POST")
_WHOLE = re.compile(r"[0-9]{1,5}", re.ASCII)
_POSITIVE = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_ANY = re.compile(r".*", re.DOTALL)
_CALLBACK = {"statusCallback": _ANY, "statusCallbackMethod": _METHOD}

_ATTRIBUTES: dict[str, dict[str, re.Pattern[str]]] = {
    "Response": {},
    "Play": {"loop": _WHOLE},
    "Say": {"voice": _ANY, "language": re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?"), "loop": _WHOLE},
    "Pause": {"length": _POSITIVE},
    "Gather": {
        "action": _ANY,
        "method": _METHOD,
        "input": re.compile(r"dtmf"),
        "timeout": _POSITIVE,
        "numDigits": _POSITIVE,
        "finishOnKey": re.compile(r"[0-9#*]?", re.ASCII),
        "actionOnEmptyResult": _BOOL,
        "bargeIn": _BOOL,
    },
    "Redirect": {"method": _METHOD},
    "Reject": {"reason": re.compile(r"rejected|busy")},
    "Hangup": {},
    "Dial": {
        "action": _ANY,
        "method": _METHOD,
        "hangupOnStar": _BOOL,
        "timeLimit": _POSITIVE,
        "timeout": re.compile(r"[5-9]|[1-9][0-9]|[1-5][0-9]{2}|600", re.ASCII),
        "answerOnBridge": _BOOL,
        "record": re.compile(r"do-not-record"),
    },
    "Conference": {
        "muted": _BOOL,
        "beep": re.compile(r"true|false|onEnter|onExit"),
        "startConferenceOnEnter": _BOOL,
        "endConferenceOnExit": _BOOL,
        "waitUrl": _ANY,
        "waitMethod": _METHOD,
        "maxParticipants": re.compile(r"[2-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|250", re.ASCII),
        "record": re.compile(r"do-not-record"),
        "participantLabel": _ANY,
        "region": _ANY,
        "jitterBufferSize": re.compile(r"small|medium|large|off"),
        "statusCallbackEvent": re.compile(r"(start|end|join|leave|mute|hold|modify|speaker|announcement| )+"),
        **_CALLBACK,
    },
    "Message": {"to": _ANY, "from": _ANY, "action": _ANY, "method": _ANY, "statusCallback": _ANY},
    "Body": {},
}
_CODES = {
    ("Play", "loop"): 13410,
    ("Say", "loop"): 13510,
    ("Say", "voice"): 13511,
    ("Pause", "length"): 13910,
    ("Reject", "reason"): 13810,
    ("Redirect", "method"): 13710,
}


def voice(document: bytes) -> tuple[Verb, ...]:
    """Read a voice document; raise `FaultError` at the first thing Twilio would not do as written."""
    verbs = tuple(_verb(child) for child in _root(document))
    for verb in verbs[:-1]:
        if isinstance(verb, Redirect | Reject | Hangup) or (isinstance(verb, Dial) and verb.action):
            raise FaultError(12200, f"verbs after <{type(verb).__name__}> are never reached")
    return verbs


def waiting(document: bytes) -> tuple[Play | Say | Pause | Redirect, ...]:
    """Read what a conference's `waitUrl` answers: nothing but Play, Say, Pause and Redirect."""
    verbs: list[Play | Say | Pause | Redirect] = []
    for verb in voice(document):
        if not isinstance(verb, Play | Say | Pause | Redirect):
            raise FaultError(13238, f"<{type(verb).__name__}> in a conference's waiting document")
        verbs.append(verb)
    return tuple(verbs)


@dataclass(frozen=True, slots=True)
class Reply:
    """One `<Message>`: what is sent back to whoever texted."""

    body: str
    status_callback: str | None = None


def messaging(document: bytes) -> tuple[Reply, ...]:
    """Read a messaging document; raise `FaultError` for what Twilio would not send."""
    replies = []
    for element in _root(document):
        if element.tag != "Message":
            raise FaultError(14110, f"<{element.tag}> in a messaging document")
        given = _given(element)
        if {"to", "from"} & given.keys():
            raise FaultError(12200, "a reply goes back to its sender: no to, no from")
        bodies = [_text(part) for part in element if part.tag == "Body"]
        if len(bodies) != len(element):
            raise FaultError(12200, "only <Body> may stand in <Message>")
        body = "".join(bodies) if bodies else (element.text or "")
        if not body.strip() or len(body) > 1600:
            raise FaultError(14103, f"a message of {len(body)} characters (1 to 1600 are allowed)")
        replies.append(Reply(body, given.get("statusCallback")))
    if len(replies) > 10:
        raise FaultError(14109, "more than ten replies to one message")
    return tuple(replies)


def _root(document: bytes) -> ET.Element:
    if len(document) > LARGEST:
        raise FaultError(11750, f"the document is larger than {LARGEST} bytes")
    if b"<!" in document.replace(b"<!--", b""):
        raise FaultError(12100, "no document type or CDATA in TwiML")
    try:
        root = ET.fromstring(document)  # noqa: S314  (the gateway's own answer, without DTD, at most 64 kB)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise FaultError(12100, f"the document is not XML: {error}") from None
    if root.tag != "Response":
        raise FaultError(12102, f"the root is <{root.tag}>, not <Response>")
    _given(root)
    for part in (root.text, *(child.tail for child in root)):
        if part and part.strip():
            raise FaultError(12200, "text between the verbs")
    return root


def _given(element: ET.Element) -> dict[str, str]:
    known = _ATTRIBUTES[element.tag]
    for name, value in element.attrib.items():
        if name == "record" and value != "do-not-record":
            raise FaultError(12200, "this hotline never records: remove `record`")
        if name not in known:
            raise FaultError(12200, f"<{element.tag}> has no attribute {name}")
        if not known[name].fullmatch(value):
            code = _CODES.get((element.tag, name), 12200)
            raise FaultError(code, f"<{element.tag} {name}> cannot be {value!r}")
    return dict(element.attrib)


def _text(element: ET.Element) -> str:
    if len(element):
        raise FaultError(12200, f"nothing may stand inside <{element.tag}>")
    _given(element)
    return (element.text or "").strip()


def _childless(element: ET.Element) -> dict[str, str]:
    if len(element) or (element.text or "").strip():
        raise FaultError(12200, f"nothing may stand inside <{element.tag}>")
    return _given(element)


def _loop(given: dict[str, str]) -> int:
    loop = int(given.get("loop", "1"))
    return loop if 0 < loop <= 1000 else 1000


def _play(element: ET.Element) -> Play:
    if not (url := _text(element)):
        raise FaultError(12200, "<Play> without an address")
    return Play(url, _loop(element.attrib))


def _say(element: ET.Element) -> Say:
    text, language = _text(element), element.get("language", "en-US")
    if not text:
        raise FaultError(13520, "<Say> without text")
    if language.startswith("my") or re.search("[\u1000-\u109f\uaa60-\uaa7f\ua9e0-\ua9fe]", text):
        raise FaultError(13511, "<Say> does not speak Burmese: play a sound")
    return Say(text, language, _loop(element.attrib))


def _gather(element: ET.Element) -> Gather:
    given = _given(element)
    prompts = []
    for child in element:
        verb = _verb(child)
        if not isinstance(verb, Play | Say | Pause):
            raise FaultError(13320, f"<{child.tag}> cannot stand in <Gather>")
        prompts.append(verb)
    return Gather(
        prompts=tuple(prompts),
        action=given.get("action"),
        method=given.get("method", "POST"),
        timeout=float(given.get("timeout", "5")),
        num_digits=int(given["numDigits"]) if "numDigits" in given else None,
        finish_on_key=given.get("finishOnKey", "#"),
        action_on_empty=given.get("actionOnEmptyResult") == "true",
        barge_in=given.get("bargeIn", "true") == "true",
    )


def _redirect(element: ET.Element) -> Redirect:
    if not (url := _text(element)):
        raise FaultError(13710, "<Redirect> without an address")
    return Redirect(url, element.get("method", "POST"))


def _dial(element: ET.Element) -> Dial:
    given = _given(element)
    if len(element) != 1 or element[0].tag != "Conference" or (element.text or "").strip():
        raise FaultError(13201, "this network's <Dial> joins one <Conference>: no number stands in TwiML")
    return Dial(
        conference=_conference(element[0]),
        action=given.get("action"),
        method=given.get("method", "POST"),
        hangup_on_star=given.get("hangupOnStar") == "true",
        time_limit=float(given.get("timeLimit", "14400")),
    )


def _conference(element: ET.Element) -> Conference:
    name, given = _text(element), element.attrib
    if not name:
        raise FaultError(13240, "<Conference> without a name")
    if re.search(r"[0-9]{7,}", name, re.ASCII) and not re.search(r"[a-z]", name, re.IGNORECASE):
        raise FaultError(13240, "a conference's name must be opaque, not a number")
    return Conference(
        name=name,
        start_on_enter=given.get("startConferenceOnEnter", "true") == "true",
        end_on_exit=given.get("endConferenceOnExit") == "true",
        wait_url=given.get("waitUrl"),
        wait_method=given.get("waitMethod", "POST"),
        most=int(given.get("maxParticipants", "250")),
        status_callback=given.get("statusCallback"),
        status_events=frozenset(given.get("statusCallbackEvent", "").split()),
    )


def _pause(element: ET.Element) -> Pause:
    return Pause(float(_childless(element).get("length", "1")))


def _reject(element: ET.Element) -> Reject:
    return Reject(_childless(element).get("reason", "rejected"))


def _hangup(element: ET.Element) -> Hangup:
    _childless(element)
    return Hangup()


_READERS: dict[str, Callable[[ET.Element], Verb]] = {
    "Play": _play,
    "Say": _say,
    "Pause": _pause,
    "Gather": _gather,
    "Redirect": _redirect,
    "Reject": _reject,
    "Hangup": _hangup,
    "Dial": _dial,
}


def _verb(element: ET.Element) -> Verb:
    if element.tag == "Record":
        raise FaultError(12200, "this hotline never records: remove <Record>")
    if element.tag not in _READERS:
        raise FaultError(
            12200, f"<{element.tag}> is not a verb this network knows (names are case-sensitive)"
        )
    return _READERS[element.tag](element)
