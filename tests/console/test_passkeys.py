"""Passkeys, with a software authenticator that signs as a real one does."""

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import cbor2
import pytest
import time_machine
from console.browser import PASSWORD, Browser, Person
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st
from trials import trials

from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import counselors, ending, factors, passkeys
from gateway.services.signing_in import Origin

ORIGIN = "http://localhost:8000"


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@dataclass
class Authenticator:
    """One credential in a device; `verifies` says whether it asks for finger or code."""

    origin: str = ORIGIN
    rp_id: str = "localhost"
    verifies: bool = True
    count: int = 0
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, challenge: bytes) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        data = self._data(0x40) + bytes(16) + len(self.credential).to_bytes(2) + self.credential
        made = {"fmt": "none", "attStmt": {}, "authData": data + cbor2.dumps(public)}
        return self._given("webauthn.create", challenge, attestationObject=cbor2.dumps(made))

    def get(self, challenge: bytes) -> dict[str, Any]:
        self.count += 1
        client, data = self._client("webauthn.get", challenge), self._data(0)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._given("webauthn.get", challenge, authenticatorData=data, signature=signature)

    def _data(self, flags: int) -> bytes:
        seen = 0x05 if self.verifies else 0x01
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags | seen]) + self.count.to_bytes(4)

    def _client(self, kind: str, challenge: bytes) -> bytes:
        return json.dumps({"type": kind, "challenge": text(challenge), "origin": self.origin}).encode()

    def _given(self, kind: str, challenge: bytes, **response: bytes) -> dict[str, Any]:
        parts = {"clientDataJSON": self._client(kind, challenge), **response}
        return {
            "id": text(self.credential),
            "rawId": text(self.credential),
            "type": "public-key",
            "response": {name: text(part) for name, part in parts.items()},
            "clientExtensionResults": {},
        }


def asked(page: str) -> bytes:
    found = re.search(r'data-challenge="([^"]+)"', page)
    assert found
    return base64.urlsafe_b64decode(found[1] + "==")


def at(someone: Browser, host: str) -> Browser:
    someone.client.application.config["SERVER_NAME"] = host
    return someone


@pytest.fixture
def mya(person: Person, runtime: Runtime) -> str:
    person("mya")
    return counselors.known(runtime, "mya").id


def registered(runtime: Runtime, authenticator: Authenticator) -> None:
    account = counselors.known(runtime, "mya")
    answer = authenticator.create(passkeys.challenge(runtime, account.id))
    passkeys.register(runtime, account, json.dumps(answer), "Android · Chrome")


def signs_in(runtime: Runtime, authenticator: Authenticator, challenge: bytes | None = None) -> bool:
    answer = authenticator.get(challenge or passkeys.challenge(runtime))
    try:
        return bool(passkeys.sign_in(runtime, json.dumps(answer), Origin()))
    except Refused:
        return False


def test_a_passkey_made_on_the_own_page_signs_in_alone(
    person: Person, browser: Callable[[], Browser], runtime: Runtime
) -> None:
    mya, device = at(person("mya"), "localhost:8000"), Authenticator()
    page = mya.get("/account").text
    made = mya.post("/account/passkeys", answer=json.dumps(device.create(asked(page))), password=PASSWORD)
    assert "works from now on" in made.text
    someone = browser()
    page = someone.get("/sign-in").text
    answer = someone.post("/sign-in/passkey", answer=json.dumps(device.get(asked(page))), follow=False)
    assert answer.headers["Location"].endswith("/console/")
    mine = re.search(r'action="/console(/account/passkeys/\w+)"', mya.get("/account").text)
    assert mine
    assert "works no more" in mya.post(mine[1]).text
    assert not signs_in(runtime, device)


def test_an_answer_counts_once_and_for_five_minutes(mya: str, runtime: Runtime) -> None:
    device = Authenticator()
    registered(runtime, device)
    challenge = passkeys.challenge(runtime)
    answer = json.dumps(device.get(challenge))
    assert passkeys.sign_in(runtime, answer, Origin())
    with pytest.raises(Refused, match="passkey"):
        passkeys.sign_in(runtime, answer, Origin())
    assert not signs_in(runtime, device, challenge)
    old = passkeys.challenge(runtime)
    with time_machine.travel(factors.wall_clock() + passkeys.CHALLENGE_LIVES + timedelta(seconds=2)):
        assert not signs_in(runtime, device, old)


@pytest.mark.promise(27)
def test_what_is_not_verified_of_another_place_copied_or_made_up_opens_nothing(
    mya: str, runtime: Runtime
) -> None:
    device = Authenticator()
    registered(runtime, device)
    device.verifies = False
    assert not signs_in(runtime, device), "no finger, no code: one factor"
    device.verifies = True
    device.origin = "https://evil.example"
    assert not signs_in(runtime, device)
    device.origin, device.rp_id = ORIGIN, "evil.example"
    assert not signs_in(runtime, device)
    device.rp_id = "localhost"
    assert not signs_in(runtime, device, secrets.token_bytes(40)), "a challenge of ours only"
    assert not signs_in(runtime, device, passkeys.challenge(runtime, mya)), "nor one for making a passkey"
    assert not signs_in(runtime, Authenticator(credential=device.credential, count=9)), "another key"
    assert not signs_in(runtime, Authenticator())
    assert signs_in(runtime, device)
    device.count -= 1
    assert not signs_in(runtime, device), "a copy counts backwards"


def test_an_account_that_ended_has_no_passkey(mya: str, runtime: Runtime) -> None:
    device = Authenticator()
    registered(runtime, device)
    ending.disable(runtime, "mya")
    assert not signs_in(runtime, device)
    ending.enable(runtime, "mya")
    assert signs_in(runtime, device)
    ending.captured(runtime, "mya")
    ending.enable(runtime, "mya")
    assert not signs_in(runtime, device)


def test_one_persons_challenge_makes_no_passkey_for_another(
    mya: str, person: Person, runtime: Runtime
) -> None:
    person("hla")
    hla = counselors.known(runtime, "hla")
    answer = Authenticator().create(passkeys.challenge(runtime, mya))
    with pytest.raises(Refused, match="passkey"):
        passkeys.register(runtime, hla, json.dumps(answer), "")


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "evil.example"])
def test_at_an_address_of_digits_or_of_others_no_passkey_is_offered(
    browser: Callable[[], Browser], host: str
) -> None:
    assert "data-challenge" in at(browser(), "localhost:8000").get("/sign-in").text
    assert "data-challenge" not in at(browser(), host).get("/sign-in").text


@pytest.mark.promise(29)
def test_whatever_is_sent_as_an_answer_is_refused_in_words(
    mya: str, runtime: Runtime, tried: Callable[[int], None]
) -> None:
    tried(trials(40, 2_000))
    good = Authenticator()
    registered(runtime, good)
    part = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4)
    names = ["clientDataJSON", "authenticatorData", "signature", "attestationObject"]

    @settings(max_examples=trials(40, 2_000), deadline=None)
    @given(st.dictionaries(st.sampled_from([*names, "rawId", "id", "type", "response"]), part) | st.text())
    def one(changed: Any) -> None:
        answer = good.get(passkeys.challenge(runtime))
        if isinstance(changed, dict):
            for name, value in changed.items():
                (answer["response"] if name in names and isinstance(answer["response"], dict) else answer)[
                    name
                ] = value
        if changed in ({}, {"id": answer["id"]}, {"attestationObject": None}):
            return
        with suppress(Refused):
            passkeys.sign_in(runtime, json.dumps(answer if isinstance(changed, dict) else changed), Origin())
        account = counselors.known(runtime, "mya")
        with pytest.raises(Refused, match="passkey"):
            passkeys.register(runtime, account, json.dumps(answer), "")

    one()
