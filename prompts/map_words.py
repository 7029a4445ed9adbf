"""The words on the map of the menus, in the reader's language: English, and Burmese (a draft)."""

from collections.abc import Mapping
from typing import Final

from ivr.script import EffectName
from prompts.library import Review

READING: Final = ("en", "my")

_LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("The menus", "မီနူးများ"),
    "everywhere": ("In every menu", "မီနူးတိုင်းမှာ"),
    "unless_said": ("Whoever presses nothing", "ဘာမှ မနှိပ်သူ"),
    "legend": (
        "Red: what is stored before the answer leaves. Brown: only while that is the case.",
        "အနီ: မဖြေခင် သိမ်းထားတာ။ အညို: အဲဒီအခြေအနေမှာသာ။",
    ),
    "unreached": ("No key leads here", "ဘယ်ခလုတ်ကမှ ဒီကို မရောက်ပါ"),
    "again": ("again", "ထပ်ပြော"),
    "back": ("back", "နောက်ပြန်"),
    "leave": ("hangs up", "ဖုန်းချ"),
    "own": ("own number", "ကိုယ့်ဂဏန်း"),
    "digits": ("{count} digits", "ဂဏန်း {count} လုံး"),
    "other": ("any other", "အခြားခလုတ်"),
    "silent": ("silence", "မနှိပ်ရင်"),
    "heard_out": ("to its end", "ပြီးအောင်နားထောင်"),
    "then": ("then", "ပြီးရင်"),
    "over": ("talk over", "ပြောပြီးရင်"),
    "nothing": ("no programme", "အစီအစဉ်မရှိရင်"),
    "machine": ("a machine", "စက်ကိုင်ရင်"),
    "left": ("hung up", "ချသွားရင်"),
    "reject": ("not answered", "မဖြေပါ"),
    "later": ("after silence", "မနှိပ်ရင်"),
    "if": ("if: {flag}", "အခြေအနေ: {flag}"),
    "unless": ("unless: {flag}", "မဟုတ်ရင်: {flag}"),
    "else": ("else", "မဟုတ်ရင်"),
    "keep": ("keeps {what}: {value}", "မှတ်: {what} = {value}"),
    "pressed": ("the key", "နှိပ်တဲ့ဂဏန်း"),
    "connect": ("joins the two in one call", "နှစ်ယောက်ကို တွဲပေး"),
    "language": ("goes on in: {language}", "ဘာသာစကား: {language}"),
    "move": ("programme: {move}", "အစီအစဉ်: {move}"),
    "programme": ("plays the programme", "အစီအစဉ် ဖွင့်ပေး"),
    "handle": ("[two words]", "[စကားလုံးနှစ်လုံး]"),
    "code": ("[six digits]", "[ဂဏန်း ၆ လုံး]"),
    "wait": ("waits {wait} s, {tries} times", "{wait} စက္ကန့်စောင့်၊ {tries} ကြိမ်"),
    "only_these": ("only these keys", "ဒီခလုတ်များသာ"),
    "silent_here": ("says nothing", "ဘာမှမပြော"),
}

_STARTS: Final[Mapping[str, tuple[str, str]]] = {
    "dialled": ("Somebody dials in", "တစ်ယောက်ယောက် ဖုန်းခေါ်လာ"),
    "missed": ("Somebody rings a missed-call number", "မစ်ကောနံပါတ်ကို ခေါ်လာ"),
    "counselors_line": ("A counselor rings a counselors' number", "ဖြေကြားသူက ဖြေကြားသူများနံပါတ်ကို ခေါ်လာ"),
    "rung_back": ("A missed call is rung back", "မစ်ကောကို ပြန်ခေါ်"),
    "callback": ("Who asked is rung", "တောင်းဆိုသူကို ပြန်ခေါ်"),
    "counselor": ("A counselor is rung", "ဖြေကြားသူကို ခေါ်"),
    "colleague": ("A colleague is asked to join", "လုပ်ဖော်ကိုင်ဖက်ကို ခေါ်"),
    "keypad": ("A counselor with a keypad phone is rung back", "ခလုတ်ဖုန်းသုံးတဲ့ ဖြေကြားသူကို ပြန်ခေါ်"),
    "programme": ("Somebody is rung with a programme", "အစီအစဉ်နဲ့ ဖုန်းခေါ်"),
    "confirm": ("The one call that confirms programmes by call", "ဖုန်းအစီအစဉ် အတည်ပြုတဲ့ တစ်ကြိမ်တည်းသောခေါ်ဆိုမှု"),
}

_MOVES: Final[Mapping[str, tuple[str, str]]] = {
    "next": ("the next one", "နောက်တစ်ခု"),
    "again": ("from its beginning", "အစကနေ"),
    "back": ("15 seconds back", "၁၅ စက္ကန့် နောက်ပြန်"),
    "forward": ("15 seconds on", "၁၅ စက္ကန့် ရှေ့"),
    "stay": ("where it was", "ရပ်ထားတဲ့နေရာ"),
    "end": ("its end", "အဆုံး"),
}

_EFFECTS: Final[Mapping[EffectName, tuple[str, str]]] = {
    EffectName.ASK: ("the request is kept", "တောင်းဆိုမှု မှတ်ထား"),
    EffectName.ASK_BY_CODE: ("the request is kept without a number", "နံပါတ်မပါဘဲ တောင်းဆိုမှု မှတ်ထား"),
    EffectName.ASK_FOR_CASE: ("to be rung here for that case", "အဲဒီကိစ္စအတွက် ဒီဖုန်းကို ပြန်ခေါ်"),
    EffectName.WISH_DANGER: ("in danger today", "ဒီနေ့ အန္တရာယ်ရှိ"),
    EffectName.WISH_WOMAN: ("wishes to talk with a woman", "အမျိုးသမီးနဲ့ ပြောချင်"),
    EffectName.GUESSED_CASE: ("a wrong guess is counted", "ကုဒ်မှားတာ ရေတွက်"),
    EffectName.RING_BACK: ("is rung back", "ပြန်ခေါ်မယ်"),
    EffectName.USE_SHEET_CODE: ("the code is used up", "ကုဒ် သုံးပြီး"),
    EffectName.WRONG_SHEET_CODE: ("a wrong code is counted", "ကုဒ်မှားတာ ရေတွက်"),
    EffectName.TAKE_NEXT: ("takes the next request", "နောက်တောင်းဆိုမှု ယူ"),
    EffectName.SHIFT_ON: ("on shift", "တာဝန်ဝင်"),
    EffectName.SHIFT_OFF: ("off shift", "တာဝန်ထွက်"),
    EffectName.OUTCOME_DONE: ("outcome: done", "ရလဒ်: ပြီးပြီ"),
    EffectName.OUTCOME_NO_ANSWER: ("outcome: no answer", "ရလဒ်: မကိုင်ပါ"),
    EffectName.OUTCOME_LATER: ("outcome: later again", "ရလဒ်: နောက်မှ"),
    EffectName.OUTCOME_COORDINATOR: ("outcome: to a coordinator", "ရလဒ်: ညှိနှိုင်းသူဆီ"),
    EffectName.OUTCOME_NOT_SAFE: ("outcome: I am not safe, all stops", "ရလဒ်: မလုံခြုံ၊ အားလုံးရပ်"),
    EffectName.WITHDRAW: ("the request is taken back", "တောင်းဆိုမှု ပြန်ရုပ်"),
    EffectName.STOP: ("never contacted again", "ထပ်မဆက်သွယ်တော့"),
    EffectName.FORGET: ("everything is destroyed", "အားလုံး ဖျက်"),
    EffectName.REMEMBER_LANGUAGE: ("the language is remembered", "ဘာသာစကား မှတ်ထား"),
    EffectName.REMEMBER_DISPLAY: ("the display is remembered", "စာပြပုံ မှတ်ထား"),
    EffectName.OPT_IN: ("programmes by call are asked for", "ဖုန်းအစီအစဉ် တောင်းဆို"),
    EffectName.OPT_IN_TEXTS: ("programmes by text are asked for", "စာတိုအစီအစဉ် တောင်းဆို"),
    EffectName.CONFIRM_TEXTS: ("programmes by text for 30 days", "စာတိုအစီအစဉ် ရက် ၃၀"),
    EffectName.RENEW: ("for another 30 days", "နောက်ထပ် ရက် ၃၀"),
    EffectName.GATE_OPENED: ("it is her", "သူကိုယ်တိုင်ဖြစ်"),
    EffectName.GATE_LATER: ("not now: later", "အခုမဟုတ်: နောက်မှ"),
    EffectName.GATE_WRONG_PERSON: ("wrong person: the request ends", "လူမှား: တောင်းဆိုမှု ပြီးဆုံး"),
    EffectName.GATE_OTHER_KEY: ("somebody else: says no more", "အခြားလူ: ဘာမှ ထပ်မပြော"),
    EffectName.GATE_SILENT: ("no key: not now", "မနှိပ်: အခုမဟုတ်"),
    EffectName.GATE_LEFT: ("left: not now", "ချသွား: အခုမဟုတ်"),
    EffectName.GATE_MACHINE: ("a machine: hears nothing", "စက်: ဘာမှ မပြော"),
    EffectName.COUNSELOR_HERE: ("the counselor is there", "ဖြေကြားသူ ရောက်"),
    EffectName.COUNSELOR_READY: ("the caller is rung now", "ခေါ်သူကို အခုခေါ်"),
    EffectName.COUNSELOR_LATER: ("the counselor: later", "ဖြေကြားသူ: နောက်မှ"),
    EffectName.COUNSELOR_GIVES_BACK: ("given back", "ပြန်အပ်"),
    EffectName.COUNSELOR_REFUSES: ("never offered to them again", "သူ့ဆီ ထပ်မပို့"),
    EffectName.COUNSELOR_SILENT: ("the counselor pressed nothing", "ဖြေကြားသူ မနှိပ်"),
    EffectName.COUNSELOR_LEFT: ("the counselor hung up", "ဖြေကြားသူ ချသွား"),
    EffectName.RING_AGAIN: ("is rung once more", "နောက်တစ်ခါ ထပ်ခေါ်"),
    EffectName.COLLEAGUE_HERE: ("a colleague is here", "လုပ်ဖော်ကိုင်ဖက် ရောက်လာ"),
    EffectName.COLLEAGUE_JOINS: ("the colleague joins the talk", "လုပ်ဖော်ကိုင်ဖက် စကားဝိုင်းထဲ ဝင်"),
    EffectName.COLLEAGUE_DECLINES: ("the colleague does not come", "လုပ်ဖော်ကိုင်ဖက် ဝင်မလာ"),
    EffectName.STAY: ("stays on the line", "ဖုန်းမချဘဲ စောင့်"),
    EffectName.STAY_JOINED: ("waits in the conference", "ဆွေးနွေးခန်းထဲ စောင့်"),
    EffectName.STAY_LEFT: ("no longer on the line", "လိုင်းပေါ် မရှိတော့"),
    EffectName.BRIDGE_ENDED: ("the talk is over", "စကားပြောပြီး"),
}

_REVIEWS: Final[Mapping[Review, tuple[str, str]]] = {
    Review.DRAFT: ("draft", "မူကြမ်း"),
    Review.REVIEWED: ("reviewed", "စစ်ပြီး"),
    Review.RECORDED: ("recorded", "အသံသွင်းပြီး"),
}


class Words:
    """The labels in one reader's language; English where there is none."""

    def __init__(self, reading: str) -> None:
        self._at = READING.index(reading) if reading in READING else 0

    def label(self, name: str, **values: object) -> str:
        return _LABELS[name][self._at].format(**values)

    def start(self, kind: str) -> str:
        return _STARTS[kind][self._at] if kind in _STARTS else kind

    def move(self, name: str) -> str:
        return _MOVES[name][self._at]

    def effect(self, name: EffectName) -> str:
        return _EFFECTS[name][self._at]

    def review(self, state: Review) -> str:
        return _REVIEWS[state][self._at]
