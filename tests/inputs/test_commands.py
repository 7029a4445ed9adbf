"""Whatever is piped into a command: done, or refused in words; never a traceback, and no number said back."""

import os

import pytest
from click.testing import CliRunner
from front_door import CALLER, PASSWORD, Hotline
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from inputs.nasty import VALUES
from trials import trials

from gateway.cli import main

READERS = (
    "forget",
    "counselor add mya --role counselor --phone",
    "counselor reset helper",
    "contacts forbid",
    "contacts forbid --lift",
    "unseal",
    "wipe",
    "outreach create --title Water --topic health --as helper",
)
LINES = st.lists(
    st.one_of(VALUES, st.sampled_from([CALLER.encode(), PASSWORD.encode(), b"accept", b"n"])), max_size=4
)


@pytest.mark.promise(29)
@settings(suppress_health_check=list(HealthCheck), max_examples=trials(25, 2_000))
@given(st.sampled_from(READERS), LINES)
@example("forget", [b"\xff\xfe0979"])
@example("counselor reset helper", [b"\xff\xfe0979"])
def test_whatever_is_piped_into_a_command_ends_in_words(
    hotline: Hotline, command: str, lines: list[bytes]
) -> None:
    given = b"\n".join(lines)
    if command == "wipe" and b"destroy" in given:
        return
    clean = {name: None for name in os.environ if name.startswith(("HOTLINE_", "TWILIO_"))}
    done = CliRunner().invoke(main, command.split(), input=given, env=clean | hotline.environment)
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    assert "Traceback" not in done.output
    if command != "wipe":  # whose typed word is to be seen, and click's runner shows it as a terminal does
        assert CALLER[4:] not in done.output
        assert PASSWORD not in done.output
