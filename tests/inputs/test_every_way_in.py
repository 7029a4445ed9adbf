"""Whatever is sent to whatever address by whomever: never an error of ours, a traceback, or a hang."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inputs.house import OUT, VISITORS, Databases, Files, House
from inputs.nasty import HEADERS, KINDS, LENGTHS, VALUES
from inputs.raw import Ask, multipart
from real_postgres import Postgres
from structlog.testing import capture_logs
from trials import trials

HANGS = 5.0  # seconds of the processor's time
LEFT = (*OUT, "google.com/")
Change = Callable[[Ask, int, bytes], Ask]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"][: trials(1, 2)])
def house(
    request: pytest.FixtureRequest, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """On each database, in the full run."""
    folder = tmp_path_factory.mktemp("inputs")
    with ExitStack() as ending:
        rows: Files | Databases = Files(folder)
        if request.param == "postgresql":
            postgres: Postgres = request.getfixturevalue("postgres")
            rows = Databases(postgres.server, ending.enter_context(postgres.addresses()))
        made = House(template, folder, rows)
        yield made
        made.runtime.database.close()
        made.runtime.vault.close()


# --- what is done to a request that was right ------------------------------------------------------------


def one_field(ask: Ask, pick: int, value: bytes) -> Ask:
    fields = list(ask.fields)
    if not fields:
        return other_query(ask, pick, value)
    at = pick % len(fields)
    if fields[at][0] == b"csrf_token" and len(fields) > 1:
        at = (at + 1) % len(fields)
    fields[at] = (fields[at][0], value)
    return ask.with_fields(fields)


def every_field(ask: Ask, pick: int, value: bytes) -> Ask:
    return ask.with_fields((name, old if name == b"csrf_token" else value) for name, old in ask.fields)


def one_less(ask: Ask, pick: int, value: bytes) -> Ask:
    return ask.with_fields(one for at, one in enumerate(ask.fields) if at != pick % len(ask.fields))


def one_twice(ask: Ask, pick: int, value: bytes) -> Ask:
    return ask.with_fields([*ask.fields, *((name, value) for name, _ in ask.fields[pick % 7 : pick % 7 + 3])])


def one_named(ask: Ask, pick: int, value: bytes) -> Ask:
    return ask.with_fields([*ask.fields, (value, value)])


def other_query(ask: Ask, pick: int, value: bytes) -> Ask:
    names = [
        b"part",
        b"again",
        b"lang",
        b"s",
        b"endpoint",
        b"since",
        b"To",
        b"StartTime>",
        b"PageSize",
        b"_external",
    ]
    name = names[pick % len(names)]
    queries = [
        name + b"=" + quote_from_bytes(value).encode(), bytes(value), quote_from_bytes(value).encode() + b"=1",
        b"&".join(one + b"=" + quote_from_bytes(value).encode() for one, _ in ask.fields),
        b"part=live&" + name + b"=" + quote_from_bytes(value).encode(),
    ]  # fmt: skip
    return replace(ask, query=queries[pick % len(queries)][:8_000])


def other_path(ask: Ask, pick: int, value: bytes) -> Ask:
    parts = ask.path.split(b"/")
    parts[1 + pick % (len(parts) - 1)] = quote_from_bytes(value[:4_000], safe="").encode()
    return replace(ask, path=b"/".join(parts))


def as_upload(ask: Ask, pick: int, value: bytes) -> Ask:
    starts = [
        b"",
        b"RIFF\xff\xff\xff\xffWAVEfmt ",
        b"ID3\x03",
        b"OggS",
        b"fLaC",
        b"\xff\xfb\x90\x00",
        b"FORM",
    ]
    kind, body = multipart(ask.fields, file=starts[pick % len(starts)] + value, name=value[:300])
    return replace(ask, kind=kind, body=body)


def raw_body(ask: Ask, pick: int, value: bytes) -> Ask:
    return replace(ask, body=[value, b"csrf_token=" + value, value * 20][pick % 3])


def as_json(ask: Ask, pick: int, value: bytes) -> Ask:
    texts = [
        b'{"to": "%s", "key": "1", "from": "%s"}' % (value, value),
        b'{"to": 5}',
        b"[1]",
        b"null",
        b"5",
        value,
    ]
    return replace(ask, kind="application/json", body=texts[pick % len(texts)])


def as_it_is(ask: Ask, pick: int, value: bytes) -> Ask:
    return ask


CHANGES = st.sampled_from(
    [
        *(one_field, one_field, one_field, every_field, one_less, one_twice, one_named),
        *(other_query, other_query, other_path, other_path, as_upload, raw_body, as_json, as_it_is),
    ]
)
CHANGED = st.lists(st.tuples(CHANGES, st.integers(0, 60), VALUES), min_size=1, max_size=2)
WIRE = st.one_of(
    st.just({}),
    st.fixed_dictionaries({}, optional={"kind": KINDS, "length": LENGTHS, "headers": HEADERS}),
)


def fault(house: House, visitor: str, ask: Ask) -> str | None:
    """What is wrong with the answer, if anything is: also an error that the answer hides and the log tells."""
    with capture_logs() as said:
        got = house.ask(visitor, ask)
    for line in said:
        if "exc_info" in line or (line["event"] == "report_lost" and line["error"] != "BadForm"):
            return f"{line['event']}: {line.get('exc_info', line.get('error'))!r}"
    if got.status >= 500 or b"Traceback" in got.body:
        return f"answered {got.status}"
    if got.seconds > HANGS:
        return f"took {got.seconds} s"
    if visitor in house.cookies and got.headers.get("Location", "").endswith(LEFT) and house.is_out(visitor):
        house.restore()
    return None


@pytest.mark.promise(29)
@pytest.mark.slow
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("visitor", VISITORS)
def test_no_input_ends_in_an_error_of_ours(house: House, visitor: str, tried: Callable[[int], None]) -> None:
    """Every day each input goes to every tenth way in; in the full run, of 100,000, to all of them."""
    house.restore()
    sent, some = 0, trials(10, 1)

    @settings(max_examples=trials(2, 60), suppress_health_check=list(HealthCheck))
    @given(st.integers(0, some - 1), CHANGED, WIRE)
    def anything(start: int, changes: list[tuple[Change, int, bytes]], wire: dict[str, Any]) -> None:
        nonlocal sent
        for way in house.ways(visitor)[start::some]:
            ask = way
            for change, pick, value in changes:
                ask = change(ask, pick, value)
            ask = replace(ask, **wire)
            sent += 1
            assert fault(house, visitor, ask) is None, (way.rule, ask)

    anything()
    tried(sent)


def test_every_rule_of_the_map_is_sent_something(house: House) -> None:
    rules = {rule.rule for rule in house.app.url_map.iter_rules()}
    assert {way.rule for visitor in VISITORS for way in house.ways(visitor)} >= rules
    posts = [way for way in house.ways("admin") if way.method == "POST" and len(way.fields) > 1]
    assert len(posts) > 30, "most forms were found on pages, with their fields"
