"""Refuse by default: every way into the console says whom it lets in, and lets in nobody else."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from front_door import opened_bare
from reports.roles import roles_document
from werkzeug.routing import Rule

from gateway.console.gates import ANYONE, declared
from gateway.factory import create_app
from gateway.phone import Msisdn
from gateway.runtime import Runtime
from gateway.services import counselors, signing_in
from gateway.store.counselors import Role

PASSWORD = "lantern-ferry-mango"
OPEN = {
    "console.static", "console.sign_in", "console.enter", "console.enter_by_passkey", "console.join",
    "console.joining", "console.joined", "console.leave", "console.lost",
}  # fmt: skip


@pytest.fixture(scope="module")
def runtime(bare: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    with opened_bare(bare, tmp_path_factory.mktemp("gates")) as built:
        for number, role in enumerate(Role):
            phone = Msisdn.parse(f"+95 9 790 000 10{number}")
            counselors.add(built, role.value, role, PASSWORD, number=phone, language="en")
        yield built


@pytest.fixture(scope="module")
def app(runtime: Runtime) -> Flask:
    return create_app(runtime)


@pytest.fixture(scope="module")
def client(app: Flask, runtime: Runtime) -> Callable[[Role | None], FlaskClient]:
    """Somebody of this role, signed in once; or nobody."""
    known: dict[Role | None, FlaskClient] = {None: app.test_client()}

    def of(role: Role | None) -> FlaskClient:
        if role not in known:
            code = signing_in.current_code(runtime, role.value) or ""
            token = signing_in.sign_in(runtime, role.value, PASSWORD, code)
            known[role] = app.test_client()
            known[role].get("/console/sign-in")
            with known[role].session_transaction("/console/") as session:
                session["token"] = token
        return known[role]

    return of


def ways(app: Flask) -> list[tuple[Rule, str]]:
    return [
        (rule, method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/console")
        for method in sorted((rule.methods or set()) & {"GET", "POST"})
    ]


def address(rule: Rule) -> str:
    path = rule.rule
    for name in rule.arguments:
        path = path.replace(f"<path:{name}>", "x").replace(f"<{name}>", "x")
    return path


@pytest.mark.promise(3)
def test_every_route_of_the_console_declares_its_gate(app: Flask) -> None:
    found = {rule.endpoint for rule, _ in ways(app)}
    assert found
    assert sorted(found - declared(app).keys()) == []


def test_what_is_open_to_anyone_is_this_and_no_more(app: Flask) -> None:
    assert {name for name, gate in declared(app).items() if gate is ANYONE} == OPEN


@pytest.mark.promise(3)
def test_who_is_not_signed_in_sees_the_door_and_nothing_else(
    app: Flask, client: Callable[[Role | None], FlaskClient]
) -> None:
    for rule, method in ways(app):
        if rule.endpoint not in OPEN:
            answer = client(None).open(address(rule), method=method)
            assert answer.status_code == 303, rule
            assert answer.headers["Location"].endswith("/console/sign-in")


TABLE = Path(__file__).parents[2] / "docs" / "roles.md"


def test_the_table_of_the_document_is_the_one_of_the_gates(app: Flask) -> None:
    made = roles_document(app)
    assert TABLE.read_text(encoding="utf-8") == made, "run: .venv/bin/python -m tests.reports.roles"


@pytest.mark.promise(3)
def test_the_auditor_opens_no_case_and_changes_nothing_but_the_own_account(app: Flask) -> None:
    own = {"locked", "unlock", "sign_out", "here", "home", "audit", "standing"}
    for rule, method in ways(app):
        name = rule.endpoint.removeprefix("console.")
        if Role.AUDITOR in (declared(app)[rule.endpoint] or ()) and method == "POST":
            assert rule.rule.startswith("/console/account") or name in own, rule
        if "case" in rule.arguments or "number" in rule.rule:
            assert Role.AUDITOR not in (declared(app)[rule.endpoint] or ()), rule


@pytest.mark.promise(28)
@pytest.mark.parametrize("forged", ["no token", "a foreign origin", "another site", "a token of nobody"])
def test_every_post_is_refused_unless_it_comes_from_a_page_of_ours(
    app: Flask, client: Callable[[Role | None], FlaskClient], forged: str, tried: Callable[[int], None]
) -> None:
    lead = client(Role.ADMIN)
    page = lead.get("/console/account").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    form, headers = {
        "no token": ({}, {}),
        "a foreign origin": ({"csrf_token": token[1]}, {"Origin": "https://evil.example"}),
        "another site": ({"csrf_token": token[1]}, {"Sec-Fetch-Site": "cross-site"}),
        "a token of nobody": ({"csrf_token": token[1][::-1]}, {}),
    }[forged]
    posts = 0
    for rule, method in ways(app):
        if method == "POST":
            answer = lead.post(address(rule), data=form, headers=headers)
            # A page that is shown again (409 where it cannot be) says that nothing was done; never a good answer.
            assert answer.status_code in {400, 404, 409}, (rule, answer.status_code)
            posts += 1
    assert posts > 30
    tried(posts)
    assert lead.get("/console/account").status_code == 200, "nothing was done: the session lives"


@pytest.mark.promise(3)
@pytest.mark.parametrize("role", list(Role))
def test_each_role_is_let_in_exactly_where_its_gate_says(
    app: Flask, client: Callable[[Role | None], FlaskClient], role: Role, tried: Callable[[int], None]
) -> None:
    tried(len(ways(app)))
    for rule, method in ways(app):
        if rule.endpoint in OPEN | {"console.sign_out"}:
            continue
        let_in = role in (declared(app)[rule.endpoint] or ())
        code = client(role).open(address(rule), method=method).status_code
        assert (code == 403) is (not let_in), (rule, method, code)
        assert code < 500


@pytest.mark.promise(3)
def test_a_route_that_was_slipped_in_without_a_gate_is_refused(runtime: Runtime) -> None:
    from gateway.console import create_console

    app = Flask("slipped")
    blueprint = create_console(runtime)
    blueprint.add_url_rule("/slipped", "slipped", lambda: "secret")
    app.register_blueprint(blueprint)
    answer = app.test_client().get("/console/slipped")
    assert answer.status_code == 403
    assert "secret" not in answer.text
