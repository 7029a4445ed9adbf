"""Writes Unicode Burmese as Zawgyi: each syllable cluster is taken apart and drawn again, left to right.

Unicode stores a cluster in the order it is spoken, Zawgyi in the order a typewriter would strike it, with a
different code point for every shape a sign takes beside its neighbours. The shapes follow Unicode's published
`my-Zawgyi` transform (CLDR); the order is that of the texts it writes. Mon, Shan and Karen letters have no
Zawgyi form and pass through unchanged.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_ASAT, _VIRAMA, _DOT, _VISARGA = "\u103a", "\u1039", "\u1037", "\u1038"
_YA, _RA, _WA, _HA = "\u103b", "\u103c", "\u103d", "\u103e"
_E, _I, _II, _AI, _AM = "\u1031", "\u102d", "\u102e", "\u1032", "\u1036"
_U, _UU, _AA, _TALL_AA = "\u102f", "\u1030", "\u102c", "\u102b"
_NA, _NNYA, _NYA, _MA, _INDEPENDENT_U = "\u1014", "\u100a", "\u1009", "\u1019", "\u1025"

_CLUSTER = re.compile(
    r"(?P<kinzi>[\u1004\u101b\u105a]\u103a\u1039)?"
    r"(?P<base>[\u1000-\u102a\u103f])"
    r"(?P<stack>\u1039[\u1000-\u1021])?"
    r"(?P<marks>[\u102b-\u1032\u1036-\u1038\u103a-\u103e]*)"
)
_AFOREMENTIONED = ("\u104e\u1004\u103a\u1038", "\u104e")  # ၎င်း is one sign in Zawgyi

_NARROW = frozenset("ခဂငစဇဋဌဍဎဒဓပဖဗမဝဠဥဦ")  # consonants that the small shapes of medial ra fit around
_RA_SHAPES = {  # (narrow, something above, something below) -> shape of medial ra
    (True, False, False): "\u103b",
    (True, True, False): "\u107f",
    (True, False, True): "\u1081",
    (True, True, True): "\u1083",
    (False, False, False): "\u107e",
    (False, True, False): "\u1080",
    (False, False, True): "\u1082",
    (False, True, True): "\u1084",
}
_BELOW = dict(
    zip(
        "ကခဂဃစဆဇဈဋဌဍဎဏတထဒဓနပဖဗဘမလ",
        "\u1060\u1061\u1062\u1063\u1065\u1067\u1068\u1069\u106c\u106d\u106e\u106f\u1070\u1072\u1074"
        "\u1075\u1076\u1077\u1078\u1079\u107a\u1093\u107c\u1085",
        strict=True,
    )
)
_PAIRS = {"ဏ္ဍ": "\u1091", "ဋ္ဌ": "\u1092", "ဋ္ဋ": "\u1097", "ဍ္ဍ": "\u106e", "ဍ္ဎ": "\u106f"}
_BELOW_TA_WITH_WA = "\u1096"
_NA_SHORT, _NNYA_SHORT, _NYA_SHORT = "\u108f", "\u106b", "\u106a"
_KINZI_WITH = {_I: "\u108b", _II: "\u108c", _AM: "\u108d"}
_KINZI_ALONE, _I_AND_AM, _TALL_AA_KILLED, _GREAT_SA = "\u1064", "\u108e", "\u105a", "\u1086"
_ZAWGYI_ASAT = "\u1039"


def unicode_to_zawgyi(text: str) -> str:
    """`text` in Zawgyi code points; what has no Burmese in it comes back as its NFC form."""
    normal = unicodedata.normalize("NFC", text).replace(*_AFOREMENTIONED)
    return _CLUSTER.sub(lambda match: _drawn(match[0]), normal)


@dataclass(frozen=True)
class _Cluster:
    """One syllable cluster of Unicode Burmese, its signs as a set because people type them in any order."""

    kinzi: bool
    base: str
    stack: str
    marks: str

    def has(self, *signs: str) -> bool:
        return any(sign in self.marks for sign in signs)

    @property
    def lowered(self) -> bool:
        """Something hangs below the base, so that a short base or a dot further right is needed."""
        return self.has(_U, _UU, _WA, _HA)

    @property
    def killed_first(self) -> bool:
        """The asat stands before a medial or a vowel, as in ယောက်ျား and ကျွန်ုပ်."""
        return bool(re.match(r"[\u1031\u102c]*\u103a[\u103b-\u103e\u102d-\u1030]", self.marks))


@lru_cache(maxsize=2048)  # a language has few clusters and uses them often
def _drawn(text: str) -> str:
    kinzi, base, stack, marks = _CLUSTER.match(text).groups(default="")  # type: ignore[union-attr]  # it matched
    cluster = _Cluster(bool(kinzi), base, stack[1:], marks)
    signs = [_E if cluster.has(_E) else "", _ra(cluster), _base(cluster)]
    if cluster.killed_first:
        signs.append(_ZAWGYI_ASAT)
    dot = _dot(cluster)
    ya, tail = _medials(cluster)
    ha_alone = tail == "\u103d"
    if ha_alone and dot and cluster.has(_E) and not cluster.has(_YA, _AA, _TALL_AA):
        signs += [dot, tail]
        dot = ""
    elif ha_alone and cluster.has(_I) and not cluster.has(_AM) and cluster.base != _NNYA:
        signs += [ya, _vowels(cluster), tail]
    elif tail == "\u103c":
        signs += [tail, "\u107d" if ya else "", _vowels(cluster)]
    else:
        signs += [ya, tail, _vowels(cluster)]
    signs.append(_aa(cluster))
    if cluster.has(_ASAT) and not cluster.killed_first and not cluster.has(_TALL_AA):
        signs.append(_ZAWGYI_ASAT)
    signs.append(dot)
    if cluster.has(_VISARGA):
        signs.append(_VISARGA)
    return "".join(signs)


def _ra(cluster: _Cluster) -> str:
    if not cluster.has(_RA):
        return ""
    above = cluster.kinzi or cluster.has(_I, _II, _AI, _AM)
    below = bool(cluster.stack) or cluster.has(_WA)
    narrow = cluster.base in _NARROW or (cluster.base == _NA and (cluster.lowered or below))
    return _RA_SHAPES[narrow, above, below]


def _base(cluster: _Cluster) -> str:
    """The consonant and what is stacked below it."""
    if cluster.stack:
        pair = _PAIRS.get(f"{cluster.base}{_VIRAMA}{cluster.stack}")
        if pair:
            return pair
        below = _BELOW.get(cluster.stack)
        if below is None:  # no such shape in Zawgyi: the two consonants side by side
            return f"{cluster.base}{_ZAWGYI_ASAT}{cluster.stack}"
        if cluster.stack == "တ" and cluster.has(_WA):
            below = _BELOW_TA_WITH_WA
        return (_NA_SHORT if cluster.base == _NA else cluster.base) + below
    if cluster.base == "ဿ":
        return _GREAT_SA
    if cluster.lowered:
        return {_NA: _NA_SHORT, _NNYA: _NNYA_SHORT, _NYA: _NYA_SHORT}.get(cluster.base, cluster.base)
    return cluster.base


def _medials(cluster: _Cluster) -> tuple[str, str]:
    """Medial ya, and what hangs below of wa and ha; ha melts into a short vowel below (see `_lower`)."""
    wa, ha = cluster.has(_WA), cluster.has(_HA)
    if cluster.stack == "တ" and wa:
        wa = False
    if wa and ha:
        tail = "\u108a"
    elif wa:
        tail = "\u103c"
    elif ha and not cluster.has(_U, _UU):
        tail = "\u1087" if cluster.has(_RA) else "\u103d"
    else:
        tail = ""
    return "\u103a" if cluster.has(_YA) else "", tail


def _vowels(cluster: _Cluster) -> str:
    """Kinzi and the vowels above and below, in the order in which they are struck."""
    above = _above(cluster)
    lower = _lower(cluster)
    if cluster.has(_AM) and lower in {"\u1088", "\u1089"}:
        return lower + above
    return above + lower


def _above(cluster: _Cluster) -> str:
    signs = [sign for sign in (_I, _II, _AI, _AM) if cluster.has(sign)]
    if cluster.kinzi:
        if signs and signs[0] in _KINZI_WITH:
            return _KINZI_WITH[signs[0]] + "".join(signs[1:])
        return _KINZI_ALONE + "".join(signs)
    return _I_AND_AM if signs == [_I, _AM] else "".join(signs)


def _lower(cluster: _Cluster) -> str:
    if not cluster.has(_U, _UU):
        return ""
    short = cluster.has(_U)
    if cluster.has(_HA) and not cluster.has(_WA):
        if not short and cluster.base == _MA:
            return "\u103d\u1034"
        return "\u1088" if short else "\u1089"
    if short:
        crowded = (cluster.has(_YA, _RA) and not cluster.has(_WA)) or (
            cluster.base == _INDEPENDENT_U and cluster.has(_AM)
        )
        return "\u1033" if crowded else _U
    return "\u1034" if cluster.has(_RA) else _UU


def _aa(cluster: _Cluster) -> str:
    if cluster.has(_TALL_AA):
        return _TALL_AA_KILLED if cluster.has(_ASAT) else _TALL_AA
    return _AA if cluster.has(_AA) else ""


def _dot(cluster: _Cluster) -> str:
    """The dot below, further right the more there is below already."""
    if not cluster.has(_DOT):
        return ""
    if cluster.has(_U, _UU) and cluster.has(_YA) and not cluster.has(_HA, _AM):
        return "\u1095"
    if cluster.has(_AA, _TALL_AA) or (cluster.has(_E) and not cluster.has(_HA)):
        return _DOT
    if cluster.base == _NA or cluster.lowered:
        return "\u1094"
    return _DOT
