"""Our verdict on a webhook is the library's, and nothing that was changed on its way is believed."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from gateway.carriers.base import Request
from gateway.carriers.twilio import signature
from gateway.errors import BadSignature

Form = tuple[tuple[str, str], ...]

ACCOUNT = "AC" + "7" * 32
TOKEN = "5f2b8c1de94a03767c1e0b9d8a4f6e35"
NEXT_TOKEN = "c0ffee7188d94b0a93d2e6f51b7a4e92"
PUBLIC = "https://hotline.example"
NO_HEADERS: Mapping[str, str] = {}
FORM = (("AccountSid", ACCOUNT), ("Body", "ဖုန်းခေါ်ပါ"), ("From", "+959790000001"), ("FromCity", ""))

ADDRESSES = st.builds(
    "{}://{}{}".format,
    st.sampled_from(["http", "https"]),
    st.sampled_from(["hotline.example", "127.0.0.1"]),
    st.sampled_from(["", ":80", ":443", ":8000"]),
)
PATHS = st.from_regex(r"/[a-z0-9/._~-]{0,20}(%E1%80%99|%20|%27)?", fullmatch=True)
QUERIES = st.lists(
    st.builds("{}={}".format, st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.text(max_size=5).map(quote)),
    max_size=3,
).map("&".join)
WORDS = st.text(st.sampled_from("aZ09+ &=\u1015\u102b\u1040\u200b😀\n"), max_size=12)
FIELDS = st.lists(
    st.tuples(st.sampled_from(["Body", "From", "F", "Digits", "ပါ", "body"]), WORDS), max_size=8
)


def request(
    path: str = "/twilio/sms",
    query: str = "",
    *,
    form: Form = FORM,
    headers: Mapping[str, str] = NO_HEADERS,
    token: str = TOKEN,
    public: str = PUBLIC,
    algorithm: str = "HMAC_SHA1",
) -> Request:
    """A request as Twilio would send it, signed by the library."""
    uri = public + path + ("?" + query if query else "")
    signed = RequestValidator(token).compute_signature(uri, MultiDict(form), algorithm)
    return Request("POST", path, query, {"x-twilio-signature": signed} | dict(headers), form)


def believed(
    candidate: Request,
    *,
    public: str = PUBLIC,
    tokens: tuple[str, ...] = (TOKEN,),
    account: str = ACCOUNT,
    shared_keys: Mapping[str, str] = signature.NO_KEYS,
) -> bool:
    try:
        signature.check(
            candidate, public_url=public, tokens=tokens, account_sid=account, shared_keys=shared_keys
        )
    except BadSignature:
        return False
    return True


def with_port(address: str) -> str:
    scheme, _, host = address.partition("://")
    return address if ":" in host else f"{address}:{443 if scheme == 'https' else 80}"


@pytest.mark.promise(5)
@settings(deadline=None)
@given(ADDRESSES, PATHS, QUERIES, FIELDS, st.sampled_from(["as it is", "bare", "port", "other host", "http"]))
def test_our_verdict_is_the_librarys(
    public: str, path: str, query: str, fields: list[tuple[str, str]], signed_for: str
) -> None:
    form = (("AccountSid", ACCOUNT), *fields)
    tail = path + ("?" + query if query else "")
    bare = public.removesuffix(":" + public.rpartition(":")[2]) if public.count(":") > 1 else public
    address = {
        "as it is": public,
        "bare": bare,
        "port": with_port(public),
        "other host": "https://elsewhere.example",
        "http": "http" + public.removeprefix("https"),
    }[signed_for]
    library = RequestValidator(TOKEN)
    sent = library.compute_signature(address + tail, MultiDict(form))
    candidate = Request("POST", path, query, {"x-twilio-signature": sent}, form)
    assert believed(candidate, public=public) == library.validate(public + tail, MultiDict(form), sent)


def edited(text: str, place: int, character: str) -> str:
    """The same text with one character put in, replaced or, for an empty `character`, taken out."""
    if not text:
        return character
    at = place % len(text)
    return text[:at] + character + text[at + (place % 2 or not character) :]


@pytest.mark.promise(5)
@settings(deadline=None)
@given(
    FIELDS,
    st.sampled_from(["path", "query", "name", "value", "signature"]),
    st.integers(0, 10_000),
    st.sampled_from(["", "x", "A", "\u1015", "\ud800", "0", "="]),
)
def test_one_character_changed_anywhere_is_refused(
    fields: list[tuple[str, str]], part: str, place: int, character: str
) -> None:
    form = (("AccountSid", ACCOUNT), *fields)
    good = request(query="kw=%E1%80%99", form=form)
    assert believed(good)
    path, query, headers, pairs = good.path, good.query, dict(good.headers), list(form)
    match part:
        case "path":
            path = edited(path, place, character)
        case "query":
            query = edited(query, place, character)
        case "signature":
            headers["x-twilio-signature"] = edited(headers["x-twilio-signature"], place, character)
        case _:
            at = place % len(pairs)
            name, value = pairs[at]
            pairs[at] = (
                (edited(name, place, character), value)
                if part == "name"
                else (name, edited(value, place, character))
            )
    bad = Request("POST", path, query, headers, tuple(pairs))
    assume(
        (bad.path, bad.query, bad.headers, set(bad.form)) != (good.path, good.query, good.headers, set(form))
    )
    assert not believed(bad)


def test_a_field_more_or_less_is_refused() -> None:
    good = request()
    assert not believed(Request("POST", good.path, "", good.headers, (*FORM, ("Digits", "1"))))
    assert not believed(Request("POST", good.path, "", good.headers, FORM[:-2]))


def test_a_field_without_a_name_is_refused_though_it_changes_no_signature() -> None:
    good = request()
    nameless = (*FORM, ("", ""))
    sent = good.headers["x-twilio-signature"]
    assert RequestValidator(TOKEN).validate(PUBLIC + good.path, MultiDict(nameless), sent)
    assert not believed(Request("POST", good.path, "", good.headers, nameless))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CallStatus", "completed"),
        ("From", "+959790000001"),
        ("To", "12025550100"),
        ("Body", "၁၁"),
        ("Digits", "#"),
    ],
)
def test_a_border_that_moved_between_name_and_value_is_refused_though_it_changes_no_signature(
    name: str, value: str
) -> None:
    account = ("AccountSid", ACCOUNT)
    assert believed(request(form=(account, (name, value), (f"{name}Country", "MM"))))
    good = request(form=(account, (name, value)))
    sent = good.headers["x-twilio-signature"]
    for border in (len(name + value), len(name) - 1, 1):
        moved = (account, ((name + value)[:border], (name + value)[border:]))
        assert RequestValidator(TOKEN).validate(PUBLIC + good.path, MultiDict(moved), sent)
        assert not believed(Request("POST", good.path, "", good.headers, moved))


def test_the_host_header_decides_nothing() -> None:
    forged = request(public="https://attacker.example", headers={"host": "attacker.example"})
    assert not believed(forged)


def test_an_override_fragment_is_not_signed() -> None:
    good = request(query="a=1")
    assert believed(Request("POST", good.path, "a=1#rc=2&rp=5xx", good.headers, FORM))


def test_a_name_and_password_in_the_public_address_are_not_signed() -> None:
    assert believed(request(), public="https://user:secret@hotline.example")


def test_both_forms_of_an_ipv6_address_are_known() -> None:
    assert believed(request(public="http://[::1]"), public="http://[::1]:8000")
    assert believed(request(public="http://[::1]:80"), public="http://[::1]")


@pytest.mark.parametrize("headers", [{}, {"x-twilio-signature": ""}, {"X-Twilio-Signature": "in capitals"}])
def test_a_missing_signature_is_refused(headers: dict[str, str]) -> None:
    assert not believed(Request("POST", "/twilio/sms", "", headers, FORM))


def test_a_doubled_signature_is_refused_even_if_one_of_them_fits() -> None:
    fits = request().headers["x-twilio-signature"]
    for doubled in (f"{fits},{fits}", f"{fits}, x", [fits], [fits, fits]):
        assert not believed(Request("POST", "/twilio/sms", "", {"x-twilio-signature": doubled}, FORM))


@pytest.mark.parametrize(
    "accounts",
    [[], ["AC" + "8" * 32], [ACCOUNT, ACCOUNT], [ACCOUNT, "AC" + "8" * 32], [ACCOUNT.lower()], [""]],
)
def test_another_missing_or_doubled_account_is_refused_though_well_signed(accounts: list[str]) -> None:
    form = (*(("AccountSid", account) for account in accounts), ("Body", "1"))
    assert not believed(request(form=form))


def test_a_json_body_is_refused_though_well_signed() -> None:
    digest = hashlib.sha256(b"{}").hexdigest()
    assert not believed(request(query=f"bodySHA256={digest}"))


def test_two_tokens_are_good_while_one_is_replaced() -> None:
    for token in (TOKEN, NEXT_TOKEN):
        assert believed(request(token=token), tokens=(TOKEN, NEXT_TOKEN))
    assert not believed(request(token=NEXT_TOKEN))


def test_a_broken_character_is_not_taken_for_the_question_mark_that_was_signed() -> None:
    good = request(form=(("AccountSid", ACCOUNT), ("Body", "?")))
    broken = (("AccountSid", ACCOUNT), ("Body", "\ud800"))
    assert not believed(Request("POST", good.path, "", good.headers, broken))


def test_an_empty_token_signs_nothing() -> None:
    assert not believed(request(token=""), tokens=("",))


KEY, SECRET = "webhooks_sharedkey_1", "a shared secret of some length"
ANNOUNCED = f"key={KEY},algorithm=HMAC_SHA256"


def shared(announced: str = ANNOUNCED, secret: str = SECRET, algorithm: str = "HMAC_SHA256") -> Request:
    headers = {"x-twilio-webhooks-signature-settings": announced}
    return request(token=secret, algorithm=algorithm, headers=headers)


def test_a_shared_key_is_good_where_it_was_given() -> None:
    assert believed(shared(), shared_keys={KEY: SECRET})


def test_a_shared_key_that_was_not_given_is_refused() -> None:
    assert not believed(shared())
    assert not believed(shared(), shared_keys={"another": SECRET})
    assert not believed(shared(secret=TOKEN))


@pytest.mark.parametrize(
    "announced",
    [
        f"key={KEY},algorithm=HMAC_SHA1",
        f"key={KEY}",
        "algorithm=HMAC_SHA256",
        f"{ANNOUNCED},{ANNOUNCED}",
        f"{ANNOUNCED},key=another",
        "nonsense",
    ],
)
def test_a_strange_announcement_is_refused(announced: str) -> None:
    for secret in (SECRET, TOKEN):
        for algorithm in ("HMAC_SHA1", "HMAC_SHA256"):
            candidate = shared(announced, secret, algorithm)
            assert not believed(candidate, shared_keys={KEY: SECRET})


def test_the_auth_token_does_not_sign_where_a_key_is_announced() -> None:
    assert not believed(shared(secret=TOKEN), shared_keys={KEY: SECRET})


def test_the_refusal_holds_nothing_of_the_request() -> None:
    with pytest.raises(BadSignature) as refused:
        signature.check(
            Request("POST", "/twilio/sms", "", {"x-twilio-signature": "x"}, FORM),
            public_url=PUBLIC,
            tokens=(TOKEN,),
            account_sid=ACCOUNT,
        )
    assert "959790000001" not in str(refused.value)


def test_a_signature_written_out_by_hand_after_the_documentation_is_believed() -> None:
    form = (("AccountSid", ACCOUNT), ("CallSid", "CA1"), ("Digits", "1234"))
    text = f"https://hotline.example/x?foo=1&bar=2AccountSid{ACCOUNT}CallSidCA1Digits1234"
    sent = base64.b64encode(hmac.new(TOKEN.encode(), text.encode(), "sha1").digest()).decode()
    assert believed(Request("POST", "/x", "foo=1&bar=2", {"x-twilio-signature": sent}, form))
