"""Proves that a webhook comes from Twilio, by our own reading of its signature: a few microseconds a request."""

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from gateway.carriers.base import Request
from gateway.errors import BadSignature

_RUN_ON: Final = re.compile(
    "(?:(?:Account|Call|Message|Sms)Sid|(?:Call|Message|Sms|DialCall)Status|CallDuration|AnsweredBy|Direction"
    "|ErrorCode|SequenceNumber)[^A-Z]|(?:From|To|Body|Digits)[^A-Za-z]|[A-Za-z]+Sid[A-Z]{2}[0-9a-f]{32}"
)
"""A name that we read, and then what begins no further word of a name."""
_READ: Final = (
    *("AccountSid", "CallSid", "MessageSid", "SmsSid", "CallStatus", "MessageStatus", "SmsStatus"),
    *("DialCallStatus", "CallDuration", "AnsweredBy", "Direction", "ErrorCode", "SequenceNumber"),
    *("From", "To", "Body", "Digits", "Timestamp"),
)
_CUT_SHORT: Final = frozenset(name[:end] for name in _READ for end in range(1, len(name)))
"""What is left of a name that we read where its end went into the value."""

NO_KEYS: Final[Mapping[str, str]] = MappingProxyType({})


def check(
    request: Request,
    *,
    public_url: str,
    tokens: Sequence[str],
    account_sid: str,
    shared_keys: Mapping[str, str] = NO_KEYS,
) -> None:
    """Raise BadSignature unless Twilio signed exactly this form for `public_url` and `account_sid`.

    `tokens` are the auth tokens in force: two while one is being replaced. `shared_keys` are the secrets of
    keys that sign by HMAC-SHA256, by key id; a request that announces any other key is refused.
    Source: twilio.com/docs/usage/security, and twilio-python's RequestValidator, which the tests hold it to.
    """
    signature: object = request.headers.get("x-twilio-signature")
    if not isinstance(signature, str):  # missing, or doubled where a server keeps doubled headers as a list
        raise BadSignature("no single signature")
    if [value for name, value in request.form if name == "AccountSid"] != [account_sid]:
        raise BadSignature("not our account")
    # The scheme sets no border between a name and its value. With every name there, and none that has run on
    # into its value, no single character can be changed unseen; without this a nameless field could be added
    # or taken away beside a repeated one, and `CallStatuscompleted` or `CallStatu=scompleted` is signed as
    # `CallStatus=completed` is. `BodyHello` looks like a name that may come to be: who reads a text wants its `Body`.
    if not all(name and not _RUN_ON.match(name) for name, _ in request.form) or any(
        name in _CUT_SHORT and (name + value).startswith(_READ) for name, value in request.form
    ):
        raise BadSignature("a field without a name, or without an end of it")
    if "bodySHA256" in request.query:  # a signed JSON body, which the form could not be checked against
        raise BadSignature("not a form")
    secrets, algorithm = _signers(
        request.headers.get("x-twilio-webhooks-signature-settings"), tokens, shared_keys
    )
    where = (request.path + ("?" + request.query if request.query else "")).partition("#")[0]
    # Fields are signed in the order of their names, each distinct value of a repeated one once.
    said = where + "".join(chain.from_iterable(sorted(set(request.form))))
    given = _bytes(signature)
    for address in _addresses(public_url):
        text = _bytes(address + said)
        for secret in secrets:
            expected = base64.b64encode(hmac.digest(_bytes(secret), text, algorithm))
            if secret and hmac.compare_digest(expected, given):
                return
    raise BadSignature("the signature does not fit")


def _signers(
    announced: str | None, tokens: Sequence[str], shared_keys: Mapping[str, str]
) -> tuple[Sequence[str], str]:
    """Choose the secrets and the hash; a key that is announced must be one we were given."""
    if not announced:
        return tokens, "sha1"
    pairs = [part.strip().partition("=")[::2] for part in announced.split(",")]
    settings = dict(pairs)
    key = shared_keys.get(settings.get("key", ""))
    if len(settings) != len(pairs) or settings.get("algorithm") != "HMAC_SHA256" or not key:
        raise BadSignature("signed with a key that is not ours")
    return (key,), "sha256"


@cache
def _addresses(public_url: str) -> tuple[str, str]:
    """Give the public address without and with its port: voice over https drops it, everything else keeps it."""
    url = urlsplit(public_url)
    host = url.netloc.rpartition("@")[2]  # a user name and password are never signed
    bare = host if url.port is None else host.removesuffix(f":{url.port}")
    port = url.port or (443 if url.scheme == "https" else 80)
    return f"{url.scheme}://{bare}{url.path}", f"{url.scheme}://{bare}:{port}{url.path}"


def _bytes(text: str) -> bytes:
    # Lone surrogates, which only a forger sends, must neither raise nor look like another text.
    return text.encode("utf-8", "surrogatepass")
