"""Burmese words that do not sound as they are spelled, written as they sound, and the names of Latin letters.

Respelling is how the Myanmar Language Commission's dictionary gives pronunciations. A draft until native
speakers have heard it: each line can be changed without touching anything else.
"""

import re

# The final ည် has three sounds that spelling does not tell apart: ɛ is the rule, these are said with i or e.
_NYA = """
သည်=သီ ပြည်=ပြီ ကြည်=ကြီ ကြည့်=ကြိ စည်=စီ စည်း=စီး နည်း=နီး တည်=တီ ရည်=ရီ မည်=မြီ ညည်း=ညီး ကြည်း=ကြီး
ကျည်=ကျီ မြည်=မြီ ချည်=ချီ ဆည်း=ဆီး ရှည်=ရှေ ပြည့်=ပြေ့ ဖြည့်=ဖြေ့ ဖြည်း=ဖြေး သည်း=သီး
နည်းနည်း=နဲနဲ ဆားရည်=ဆားရေ ပျားရည်=ပျားရေ လက်ဖက်ရည်=လဖက်ရေ မန်ကျည်း=မကျီး နာမည်=နာမယ် အသည်း=အသဲ
"""
# A lone letter before another syllable is said weakly (ə) — but not in these, where it is a word of its own.
_FULL = """
ကြ=ကြာ့ ပြ=ပြာ့ မှ=မှာ့ မျှ=မျှာ့ ကျ=ကျာ့ ရမည်=ရာ့မြီ ရရှိ=ရာ့ရှိ ရပါ=ရာ့ပါ ရသည်=ရာ့သီ ရတယ်=ရာ့တယ်
ရတဲ့=ရာ့တဲ့ ရနိုင်=ရာ့နိုင် ရပြီး=ရာ့ပြီး ရပြီ=ရာ့ပြီ ရဖို့=ရာ့ဖို့ ရမယ်=ရာ့မယ် ရမလဲ=ရာ့မလဲ
ရမလား=ရာ့မလား ရမှာ=ရာ့မှာ ရမည့်=ရာ့မည့် ရရင်=ရာ့ရင် ရသေး=ရာ့သေး ရတော့=ရာ့တော့ ရဘူး=ရာ့ဘူး ရတာ=ရာ့တာ
ရလို့=ရာ့လို့ ရခဲ့=ရာ့ခဲ့ ရအောင်=ရာ့အောင် ရပေမဲ့=ရာ့ပေမဲ့ အစိုးရ=အစိုးရာ့
ဒေသ=ဒေသာ့ မိဘ=မိဘာ့ ဘဝ=ဘဝာ့ သဘာဝ=သဘာဝာ့ အဓိက=အဓိကာ့ ကိစ်စ=ကိစ်စာ့ သမ်မတ=သမ်မဒာ့ ဌာန=ဌာနာ့
ကနေ=ကာ့နေ ခဏ=ခဏာ့ ဖုန်းခ=ဖုန်းခာ့ ချပါ=ချာ့ပါ ချမယ်=ချာ့မယ် ညနေ=ညာ့နေ
ချဘဲ=ချာ့ဘဲ ချရင်=ချာ့ရင် ချလိုက်=ချာ့လိုက် ချနိုင်=ချာ့နိုင် ပြန်စပါ=ပြန်စာ့ပါ အစက=အစာ့ကာ့ ရထားပြီး=ရာ့ထားပြီး ကမဆို=ကာ့မဆို
"""
_IRREGULAR = """
ကျွန်နုပ်=ကျနုပ် ကျွန်မ=ကျမာ့ ကျွန်တော်=ကျနော် ကျွန်တော့်=ကျနော့် ဘုရား=ဖယား စကား=ဇဂါး သတင်း=သဒင်း ခုနစ်=ခွန်နှစ် အစ်မ=အမာ့
နံပါတ်=နံဘတ် ပညာ=ပျင်ညာ ယောက်ကျား=ယောက်ကျား တစ်ယောက်=တယောက် တစ်ဦး=တအူး တစ်ခု=တခု တစ်ရက်=တရက် တစ်လ=တလာ့
တစ်နှစ်=တနှစ် တစ်နေ့=တနေ့ တစ်ခါ=တခါ တစ်နာရီ=တနာရီ တစ်မိနစ်=တမိနစ် နှစ်ယောက်=နှယောက် နှစ်ရက်=နှရက် နှစ်ခု=နှခု နှစ်ခါ=နှခါ နှစ်လုံး=နှလုံး
တစ်ဖက်=တဘက် သုည=သုန်ည ကလေး=ခလေး
"""


def _pairs(block: str) -> dict[str, str]:
    return dict(entry.split("=") for entry in block.replace("ါ", "ာ").split())


RESPELLED = _pairs(_NYA) | _pairs(_FULL) | _pairs(_IRREGULAR)
# A word of the list counts only where it begins and ends with a syllable: not inside a longer cluster.
_WORD = re.compile("(?<![္])(?:" + "|".join(sorted(RESPELLED, key=len, reverse=True)) + ")(?![ျြွှောိီုူဲံ့း်]|[က-အ]့?်)")

# The particles that close a sentence, in the notation of `sounds`: those with a voiceless onset are voiced after a
# vowel or nasal, the others only stand between.
ENDINGS = frozenset({"pà", "tɛ̀", "θì", "tɛ̰", "pjì", "pí", "sè", "tɔ̰", "mɛ̀", "mjì", "bú", "lá", "lɛ́", "nɔ̀"})

_LETTER_NAMES = _pairs("""
A=အေ B=ဘီ C=စီ D=ဒီ E=အီး F=အက်ဖ် G=ဂျီ H=အိတ်ချ် I=အိုင် J=ဂျေ K=ကေ L=အယ်လ် M=အမ် N=အန် O=အို P=ပီ Q=ကျူ R=အာရ်
S=အက်စ် T=တီ U=ယူ V=ဗွီ W=ဒဗလျူ X=အက်ဇ် Y=ဝိုင် Z=ဇက်
""")
_LETTERS = re.compile(r"(?<![A-Za-z])(?:[A-Z]{1,6}|[a-z])(?![A-Za-z])")


def respelled(text: str) -> str:
    """Unstacked Burmese `text` (see `burmese`) with irregular words written as they sound."""
    return _WORD.sub(lambda match: RESPELLED[match[0]], text)


def letters_spelled(text: str) -> str:
    """Abbreviations of up to six capitals, and single letters, by the Burmese names of their letters."""
    return _LETTERS.sub(lambda match: "".join(_LETTER_NAMES[letter] for letter in match[0].upper()), text)
