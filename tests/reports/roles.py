"""Which role comes in where, as a document: made from the gates, so that it is never out of date.

`python -m tests.reports.roles` writes `docs/roles.md`.
"""

import tempfile
from pathlib import Path
from typing import Final

from flask import Flask

from gateway.console.gates import ANYONE, declared
from gateway.factory import create_app
from gateway.runtime import build_runtime
from gateway.settings import demo_environment, load
from gateway.store.counselors import Role

_HEAD: Final = """# Who may do what

Made by `python -m tests.reports.roles` from the gates of the console; a test holds it to them, and tries
every line. What is not here is refused.

Everything is for accounts only, but what is marked *anyone*. Within a page more holds: an auditor sees counts
and the audit, and no request, note or number (nobody sees a number); a counselor sees the whole of a request
only while it is theirs; only an administrator makes, changes or ends an administrator; who wrote a programme
or a wording does not approve it.

"""


def roles_document(app: Flask) -> str:
    """Role by route by method, in Markdown."""
    columns = [role.value for role in Role]
    lines = [f"| way | method | anyone | {' | '.join(columns)} |", "| --- " * (len(columns) + 3) + "|"]
    ways = [
        (rule.rule, method, declared(app)[rule.endpoint])
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("console.")
        for method in sorted((rule.methods or set()) & {"GET", "POST"})
    ]
    for path, method, gate in sorted(ways, key=lambda way: way[:2]):
        open_to = ["yes" if gate is ANYONE else ""]
        open_to += ["yes" if gate is not None and role in gate else "" for role in Role]
        lines.append(f"| `{path}` | {method} | {' | '.join(open_to)} |")
    return _HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        made = create_app(build_runtime(load(demo_environment(Path(folder), 8000))))
        (Path(__file__).parents[2] / "docs" / "roles.md").write_text(roles_document(made), encoding="utf-8")
