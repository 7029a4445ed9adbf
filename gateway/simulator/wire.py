"""Twilio's wire: signed webhooks with their time limits, and the fetching of the sounds that are played."""

import base64
import hashlib
import hmac
import re
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit, urlunsplit
from uuid import uuid4

import requests

from gateway.simulator.twiml import LARGEST, FaultError

_MARKUP = {"text/xml", "application/xml", "text/html"}
_SOUNDS = {
    "audio/wav", "audio/wave", "audio/x-wav", "audio/mpeg", "audio/aiff", "audio/x-aifc", "audio/x-aiff",
    "audio/x-gsm", "audio/gsm", "audio/ulaw",
}  # fmt: skip
_LONGEST_SOUND = 40 * 60.0
_HASH = re.compile(r"/([0-9a-f]{64})\.wav$")


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound that was fetched: its address, its length in seconds, and the hash its name carries, if any."""

    url: str
    seconds: float
    hash: str | None


def signature(auth_token: str, url: str, fields: Mapping[str, str]) -> str:
    """Return `X-Twilio-Signature` as documented: HMAC-SHA1 over address and sorted fields, Base64."""
    text = url + "".join(name + fields[name] for name in sorted(fields))
    mac = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1)  # Twilio's own algorithm
    return base64.b64encode(mac.digest()).decode()


def signed_url(url: str, *, voice: bool) -> str:
    """Return the address as it is signed: no user, no fragment, and for calls over https no port."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if voice and parts.scheme == "https" and parts.port:
        host = host.rpartition(":")[0]
    return urlunsplit(SplitResult(parts.scheme, host, parts.path, parts.query, ""))


def resolve(base: str | None, url: str) -> str:
    """Make an address absolute; a document given in a REST call has no base, as Twilio's error 15004 says."""
    if base is None and not urlsplit(url).scheme:
        raise FaultError(15004, f"a relative address ({url}) in a document that came without one")
    return urljoin(base or "", url)


class Wire:
    """One conversation over HTTP with the gateway: cookies are kept, proxies and `.netrc` are not asked.

    `answer_within` is Twilio's limit of 15 seconds for a whole answer.
    """

    def __init__(self, auth_token: str, public_url: str, answer_within: float = 15.0) -> None:
        self._auth_token = auth_token
        self._public_url = public_url.rstrip("/")
        self._answer_within = answer_within
        self._session = requests.Session()
        self._session.trust_env = False

    def reaches(self, url: str) -> bool:
        """Whether an address is the gateway's own: this network never talks to anybody else."""
        return url == self._public_url or url.startswith((self._public_url + "/", self._public_url + "?"))

    def ask(self, method: str, url: str, fields: Mapping[str, str], *, voice: bool = True) -> bytes:
        """Return the TwiML a webhook answers with; raise `FaultError` for what Twilio would not accept."""
        content_type, body = self._send(method, url, fields, voice=voice)
        if content_type not in _MARKUP:
            raise FaultError(12300, f"TwiML came as {content_type or 'nothing'}")
        return body

    def tell(self, method: str, url: str, fields: Mapping[str, str], *, voice: bool = True) -> None:
        """Deliver a status callback; anything but 204 or an empty XML document is Twilio's warning 15003."""
        content_type, body = self._send(method, url, fields, voice=voice)
        if body and content_type not in _MARKUP:
            raise FaultError(15003, f"a status callback was answered with {content_type or 'nothing'}")

    def sound(self, url: str) -> Sound:
        """Fetch what `<Play>` names, without a signature and without fields, and measure it."""
        try:
            answer = self._session.get(url, timeout=(5, self._answer_within), allow_redirects=False)
        except requests.RequestException as error:
            raise FaultError(11200, f"the sound could not be fetched: {type(error).__name__}") from None
        if answer.status_code != 200:
            raise FaultError(11200, f"the sound was answered with {answer.status_code}")
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind not in _SOUNDS:
            raise FaultError(13420, f"<Play> was given {kind or 'no content type'}")
        seconds = wav_seconds(answer.content)
        if seconds > _LONGEST_SOUND:
            raise FaultError(13420, "a sound longer than forty minutes may drop the call")
        found = _HASH.search(urlsplit(url).path)
        return Sound(url, seconds, found[1] if found else None)

    def _send(self, method: str, url: str, fields: Mapping[str, str], *, voice: bool) -> tuple[str, bytes]:
        target = signed_url(url, voice=False)
        if not self.reaches(target):
            raise FaultError(11200, "the simulated network only reaches the gateway")
        if method == "GET":
            target += ("&" if urlsplit(target).query else "?") + urlencode(fields)
        signed = signature(
            self._auth_token, signed_url(target, voice=voice), fields if method == "POST" else {}
        )
        headers = {
            "X-Twilio-Signature": signed,
            "I-Twilio-Idempotency-Token": str(uuid4()),
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
        }
        data = dict(fields) if method == "POST" else None
        try:
            return self._exchange(method, target, data, headers)
        except requests.ConnectTimeout:
            raise FaultError(11205, "the gateway did not accept the connection") from None
        except requests.RequestException as error:
            raise FaultError(11200, f"the gateway did not answer: {type(error).__name__}") from None

    def _exchange(
        self, method: str, url: str, data: dict[str, str] | None, headers: dict[str, str]
    ) -> tuple[str, bytes]:
        until = time.monotonic() + self._answer_within
        answer = self._session.request(
            method, url, data=data, headers=headers, stream=True, allow_redirects=False,
            timeout=(min(5.0, self._answer_within), self._answer_within),
        )  # fmt: skip
        with answer:
            body = b""
            for piece in answer.iter_content(8192):
                body += piece
                if time.monotonic() > until:
                    raise FaultError(11200, "the answer took longer than fifteen seconds")
                if len(body) > LARGEST:
                    raise FaultError(11750, f"the answer is larger than {LARGEST} bytes")
        if 300 <= answer.status_code < 400:
            raise FaultError(
                11200, "Twilio follows a redirect as a GET and loses the fields: answer directly"
            )
        if not 200 <= answer.status_code < 300:
            raise FaultError(11200, f"the gateway answered {answer.status_code}")
        return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower(), body


def wav_seconds(data: bytes) -> float:
    """Return the length of a RIFF/WAVE file from its header; raise `FaultError` for anything else."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise FaultError(13420, "the simulated network plays WAV only, and this is none")
    position, rate = 12, 0
    while position + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, position)
        if name == b"fmt " and position + 20 <= len(data):
            (rate,) = struct.unpack_from("<I", data, position + 16)
        if name == b"data" and rate:
            return float(min(size, len(data) - position - 8)) / rate
        position += 8 + size + size % 2
    raise FaultError(13420, "the WAV file holds no sound")
