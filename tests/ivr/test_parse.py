import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import prompts
from ivr.parse import parse_script
from ivr.script import EffectName, Line, Move, Option, ScriptError

SHIPPED = (Path(prompts.__file__).parent / "script.toml").read_text()

SMALL = """
[sentences]
wrong_key = "wrong"
too_many = "many"
goodbye = "bye"
not_saved = "lost"
neutral_text = "neutral"
not_saved_text = "lost"

[everywhere]
"*" = "leave"

[starts]
dialled = "main"
missed = "main"
counselors_line = "main"
keypad = "main"
rung_back = "main"
callback = "main"
counselor = "main"
colleague = "main"
programme = "main"
confirm = "main"

[texts.stop]
do = ["stop"]

[menus.main]
say = ["hello"]
"""


def faults(menus: str, small: str = SMALL) -> list[str]:
    with pytest.raises(ScriptError) as raised:
        parse_script(tomllib.loads(small + menus), file="s.toml")
    return [str(problem) for problem in raised.value.problems]


def test_the_shipped_script_has_no_fault() -> None:
    script = parse_script(tomllib.loads(SHIPPED))
    assert script.menus["own_key"].keys["6"] == script.menus["own_key"].keys["4"]
    assert script.menus["listen"].keys["3"] == (Option("listen", move=Move.BACK),)


def test_every_form_of_an_option_is_read() -> None:
    script = parse_script(
        tomllib.loads(
            SMALL
            + """
            keys.1 = "main"
            keys.2 = { say = ["a", { say = "en:b", only_if = "x", unless = "y" }], do = "stop", keep.k = "$pressed" }
            keys.3 = [{ to = "main", only_if = "x" }, { to = "again", language = "en", connect = true }]
            keys.6-8 = "back"
            """
        )
    )
    keys = script.menus["main"].keys
    assert keys["1"] == (Option("main"),)
    assert keys["2"] == (
        Option("leave", (Line("a"), Line("en:b", "x", "y")), (EffectName.STOP,), {"k": "$pressed"}),
    )
    assert keys["3"] == (Option("main", only_if="x"), Option("again", language="en", connect=True))
    assert [key for key in keys if keys[key] == (Option("back"),)] == ["6", "7", "8"]
    assert script.voice_keys("my") == {"hello", "a", "wrong", "many", "bye", "lost"}
    assert script.voice_keys("en") == {"hello", "a", "b", "wrong", "many", "bye", "lost"}
    assert script.flags() == {"x", "y", "no_saving", "neutral_due", "threads", "transfer"}


@pytest.mark.parametrize(
    ("menus", "words"),
    [
        ("", "menus.main: has neither keys nor `then`: nobody could go on from here"),
        ('keys.1 = "mian"', "menus.main: leads to 'mian', but there is no such menu"),
        ('keys.A = "main"', "menus.main.keys.A: 'A' is no key of a telephone (0 to 9, *, #)"),
        ('keys.4-8 = "main"\nkeys.5 = "leave"', "menus.main.keys.5: key 5 has two meanings here"),
        ("keys.1 = { do = [['stop']] }", "menus.main.keys.1.do: ['stop'] is no effect"),
        ("keys.1 = { move = ['up'] }", "menus.main.keys.1.move: ['up'] is none of"),
        ("keys.1 = 5", "menus.main.keys.1: must be the name of a menu or a table"),
        ("keys = 5", "menus.main.keys: must be a table of keys"),
        ('keys.1 = { go = "main" }', "menus.main.keys.1.go: is not known here"),
        ('keys.1 = { do = ["fly"] }', "menus.main.keys.1.do: 'fly' is no effect"),
        ('keys.1 = { move = "up" }', "menus.main.keys.1.move: 'up' is none of next, again, back"),
        (
            'keys.1 = { say = ["@name"] }',
            "menus.main.keys.1.say[0]: '@name' is none of @fresh_code, @fresh_handle, @handle",
        ),
        ("keys.1 = { say = [5] }", "menus.main.keys.1.say[0]: must be the key of a wording"),
        ('keys.1 = { connect = "yes" }', "menus.main.keys.1.connect: must be true or false"),
        ("keys.1 = { keep = { a = 1 } }", "menus.main.keys.1.keep: must be a table of words"),
        ('keys.1 = "main"\nwait = 0', "menus.main.wait: must be a whole number from 1 to 120"),
        ('keys.1 = "main"\ntries = true', "menus.main.tries: must be a whole number from 1 to 10"),
        ('keys.1 = "main"\nfoo = 1', "menus.main.foo: is not known here"),
        ('then = "main"', "menus.main: goes round in a circle without asking for a key"),
        ('then = "other"\n[menus.other]\nthen = "main"', "menus.other: goes round in a circle"),
        (
            'keys.1 = "main"\nprogramme = true\nsilent = "leave"\nnothing = "other"\n[menus.other]\nthen = "main"',
            "menus.main: goes round in a circle without asking for a key",
        ),
        (
            'then = "again"',
            "menus.main.then: nobody pressed a key: must do nothing, and lead to a menu or `leave`",
        ),
        ('then = "back"', "menus.main.then: nobody pressed a key"),
        ('then = { to = "leave", do = ["stop"] }', "menus.main.then: nobody pressed a key"),
        (
            'keys.1 = "main"\nprogramme = true\nsilent = "leave"',
            "menus.main: plays a programme but has no `nothing`",
        ),
        (
            'keys.1 = "main"\nprogramme = true\nnothing = "leave"',
            "menus.main: plays a programme but has no `silent`",
        ),
        ('keys.1 = "main"\n[menus]\nother = 5', "menus.other: must be a table"),
        (
            'then = "leave"\n[texts.forget]\nconfirm = 60',
            "texts.forget: wants to be confirmed but has no `first`",
        ),
        ('then = "leave"\n[texts]\nforget = 5', "texts.forget: must be a table"),
        ('then = "leave"\n[texts.a]\nsay = "b"', "texts.a.say: is not known here"),
        ('then = "leave"\n[else]\na = 1', "else: is not known here"),
    ],
)
def test_a_fault_is_named_with_file_key_and_words(menus: str, words: str) -> None:
    small = SMALL
    if "[menus]\n" in menus or "[texts]\n" in menus:  # TOML lets a table be opened only once
        table, _, rest = menus.partition("[")[2].partition("]\n")
        small = small.replace("[menus.main]", f"[{table}]\n{rest}\n[menus.main]")
        menus = menus.partition("[")[0]
    assert any(line.startswith(f"s.toml: {words}") for line in faults(menus, small)), faults(menus, small)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('confirm = "main"\n', "", "starts.confirm: this kind of call has no first menu"),
        ('dialled = "main"', 'dialled = "home"', "starts.dialled: there is no menu 'home'"),
        ('"*" = "leave"', '"*" = "nowhere"', "everywhere.*: leads to 'nowhere', but there is no such menu"),
        ('goodbye = "bye"', "goodbye = 5", "sentences.goodbye: a word is missing here"),
        ('goodbye = "bye"', "", "sentences.goodbye: a word is missing here"),
    ],
)
def test_a_fault_outside_the_menus_is_named(old: str, new: str, words: str) -> None:
    assert f"s.toml: {words}" in faults('keys.1 = "main"', SMALL.replace(old, new))


def test_an_empty_file_names_every_missing_table() -> None:
    found = faults("", "")
    for table in ("sentences", "everywhere", "starts", "menus", "texts"):
        assert f"s.toml: {table}: this table is missing" in found


some_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 200)
    | st.sampled_from(["main", "leave", "again", "stop", "@handle", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["to", "say", "do", "keys", "then", "1", "4-8", "main", "menus", "texts", "starts", "keep"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


MENU_FIELDS = [
    "say",
    "later",
    "keys",
    "own",
    "other",
    "silent",
    "then",
    "over",
    "nothing",
    "left",
    "wait",
    "tries",
]
OPTION_FIELDS = ["to", "say", "do", "keep", "only_if", "move", "connect", "language"]


@pytest.mark.promise(29)
@given(st.dictionaries(st.sampled_from(["sentences", "everywhere", "starts", "menus", "texts"]), some_values))
def test_any_tables_are_a_list_of_faults_and_no_other_error(tables: dict[str, object]) -> None:
    with pytest.raises(ScriptError):
        parse_script(tables)


@given(
    st.dictionaries(st.sampled_from(MENU_FIELDS), some_values, max_size=4),
    st.dictionaries(st.sampled_from(OPTION_FIELDS), some_values, max_size=4),
)
def test_any_menu_is_a_script_or_a_list_of_faults(menu: dict[str, object], option: dict[str, object]) -> None:
    tables = tomllib.loads(SMALL)
    tables["menus"]["main"] = {"keys": {"1": option}, **menu}
    with suppress(ScriptError):
        parse_script(tables)
