"""What the next answer may depend on, so that facts nobody will ask for are not looked up."""

from dataclasses import dataclass, replace
from functools import lru_cache

from ivr.script import Menu, Script


@dataclass(frozen=True, slots=True)
class Ahead:
    """`flags` are those the menus that may come next ask for; `programme` says that one of them plays."""

    flags: frozenset[str] = frozenset()
    programme: bool = False


@lru_cache(maxsize=4096)
def ahead_of(script: Script, menu: str, trail: tuple[str, ...] = (), pressed: str | None = None) -> Ahead:
    """Look at this menu, those before it, and those it may lead to; `pressed` are the keys that came, if any."""
    here = script.menus[menu]
    if pressed is not None:
        here = replace(here, keys={pressed: here.keys.get(pressed, ())})
    found: dict[str, Menu] = {}
    todo = [menu, *trail, *(option.to for option in here.options())]
    while todo:
        name = todo.pop()
        if name in script.menus and name not in found:
            one = found[name] = script.menus[name]
            # One that waits for keys ends the answer, unless it has a programme to play and there is none.
            onward = [one.nothing] if one.asks else one.options()
            todo += [option.to for option in onward if option]
    flags = frozenset().union(*(_flags_of(one) for one in found.values()))
    return Ahead(flags, programme=any(one.programme for one in found.values()))


def ahead_of_text(script: Script, keyword: str | None) -> Ahead:
    """What the answer to a text that means this may depend on; one that means nothing we know asks for nothing."""
    rule = script.texts.get(keyword) if keyword else None
    return Ahead() if rule is None else Ahead(frozenset({rule.only_if, *rule.instead}) - {""})


def _flags_of(menu: Menu) -> set[str]:
    options = menu.options()
    lines = [*menu.say, *menu.later, *(line for option in options for line in option.say)]
    named = {flag for line in lines for flag in (line.only_if, line.unless)}
    return (named | {option.only_if for option in options}) - {""}
