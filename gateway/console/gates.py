"""Who may come in: a route cannot be made without a gate, and what has none is refused."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, Final, Literal, cast
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    g,
    make_response,
    redirect,
    request,
    session,
    url_for,
)
from flask.sansio.app import App
from flask.sessions import NullSession, SecureCookieSession, SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask.wrappers import Request
from flask_wtf.csrf import validate_csrf
from wtforms import ValidationError  # type: ignore[import-untyped]

from gateway.console.devices import device_words
from gateway.errors import KeystoreDown
from gateway.runtime import Runtime
from gateway.services import halting, signing_in
from gateway.services.signing_in import KNOWN_FOR, SESSION_LIVES, Origin, Visit
from gateway.store.counselors import Account, Role

Gate = frozenset[Role] | None
ANYONE: Final[Gate] = None
EVERYBODY: Final = frozenset(Role)  # with an account
COUNSELORS: Final = frozenset({Role.COUNSELOR, Role.COORDINATOR, Role.ADMIN})
COORDINATORS: Final = frozenset({Role.COORDINATOR, Role.ADMIN})
ADMINS: Final = frozenset({Role.ADMIN})
AUDITORS: Final = frozenset({Role.AUDITOR, Role.COORDINATOR, Role.ADMIN})  # what shows counts and no case

View = Callable[..., ResponseReturnValue]
_TOKEN = "token"  # noqa: S105 - the name of a field
_CLIENT = "visitor"


@dataclass(frozen=True, slots=True)
class Route:
    """One way in. `again` is the page that a refused POST shows, with the reason; it takes the same arguments.

    `most`: bytes that a POST may bring. `locked`: open also after idle minutes, before the short code. `halted`:
    open also while the whole hotline is locked.
    """

    name: str
    method: Literal["GET", "POST"]
    path: str
    view: View
    gate: Gate
    again: View | None = None
    most: int = 64_000
    locked: bool = False
    halted: bool = False


class Gates:
    """Looks at every request before any page does.

    `shut` shows the door of a page that is locked; it is told whether what was sent may be kept for afterwards.
    """

    def __init__(self, runtime: Runtime, shut: Callable[[bool], ResponseReturnValue]) -> None:
        self._runtime = runtime
        self._shut = shut
        self._routes: dict[str, Route] = {}

    def open(self, blueprint: Blueprint, routes: Iterable[Route]) -> None:
        for route in routes:
            self._routes[f"{blueprint.name}.{route.name}"] = route
            blueprint.add_url_rule(route.path, route.name, route.view, methods=[route.method])
        blueprint.before_request(self._look)
        blueprint.record_once(lambda state: self._declare(state.app))

    def route(self) -> Route | None:
        """The route of this request."""
        return self._routes.get(request.endpoint or "")

    def _declare(self, app: App) -> None:
        app.extensions["console_gates"] = {name: route.gate for name, route in self._routes.items()}
        cast("Flask", app).session_interface = Envelope(self._runtime)

    def _look(self) -> ResponseReturnValue | None:
        route = self.route()
        if route is None:
            abort(403)
        if isinstance(session, NullSession):
            raise KeystoreDown("the cookie's key cannot be had")
        if route.gate is not None and (elsewhere := self._enter(route)) is not None:
            return elsewhere
        ours = request.method != "POST" or self._is_ours(route)
        if not _typed_by_a_person():
            abort(400)
        if route.gate is not None and g.visit.locked and not route.locked:
            return self._shut(ours)
        if ours:
            return None
        if route.again is None:
            abort(400)
        g.refusal = "stale"
        return with_code(route.again(**(request.view_args or {})), 400)

    def _enter(self, route: Route) -> ResponseReturnValue | None:
        """Who is there, and whether this route is for them; elsewhere with whoever it is not for just now."""
        by_hand = not {"part", "again"} & request.args.keys()
        visit = signing_in.who(self._runtime, session.get(_TOKEN, ""), by_hand=by_hand)
        if visit is None:
            return redirect(url_for("console.sign_in"), 303)
        g.account, g.visit = visit.account, visit
        if visit.account.role not in (route.gate or ()):
            abort(403)
        if by_hand:
            halting.sign_of_life(self._runtime, visit.account)
        if self._runtime.switches.halted and not route.halted:
            return redirect(url_for("console.stop"), 303)
        return None

    def _is_ours(self, route: Route) -> bool:
        """Only our own pages may act: a signed token in the form, and the browser's word where it gives one."""
        request.max_content_length = route.most
        request.max_form_memory_size = request.max_content_length
        try:
            validate_csrf(request.form.get("csrf_token"), time_limit=int(SESSION_LIVES.total_seconds()))
        except ValidationError:
            return False
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            abort(400)
        # "null" is what browsers send where nothing is referred to, as our pages ask; the token speaks for these.
        origin = request.headers.get("Origin", "null")
        if origin != "null" and urlsplit(origin).netloc not in self._hosts():
            abort(400)
        return True

    def _hosts(self) -> set[str]:
        settings = self._runtime.settings
        return {request.host, *(urlsplit(url).netloc for url in (settings.public_url, settings.console_url))}


class Envelope(SecureCookieSessionInterface):
    """The one cookie: signed, of the console only, holding a session's token, which the database can end.

    Its signing key is asked for at the first page, so that a keystore that is away stops no webhook.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if not request.path.startswith(self.get_cookie_path(app)):
            return None
        if not app.secret_key:
            try:
                app.secret_key = self._runtime.vault.digest("flask", "secret")
            except KeystoreDown:
                return None
        return super().open_session(app, request)

    def get_cookie_name(self, app: Flask) -> str:  # noqa: ARG002 - Flask's signature
        return "notes"

    def get_cookie_path(self, app: Flask) -> str:  # noqa: ARG002 - Flask's signature
        return "/console"

    def get_cookie_samesite(self, app: Flask) -> str:  # noqa: ARG002 - Flask's signature
        return "Strict"

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - Flask's signature
        return _secure(self._runtime)


def _typed_by_a_person() -> bool:
    """Nobody types NUL, which PostgreSQL keeps nowhere, or sends a field that has no name."""
    sent = [*request.values.items(multi=True), *(request.view_args or {}).items()]
    return all(name is not None and "\0" not in f"{name}{text}" for name, text in sent)


def _secure(runtime: Runtime) -> bool:
    return runtime.settings.public_url.startswith("https://")


def visit() -> Visit:
    """The session of this request; only behind a gate that asks."""
    return cast("Visit", g.visit)


def me() -> Account:
    """Who is signed in; only behind a gate that asks."""
    return cast("Account", g.account)


def sign_in_as(token: str) -> None:
    """Begin anew, so that nothing of the cookie from before signing in goes on; the language stays."""
    language = session.get("language")
    session.clear()
    session[_TOKEN] = token
    if language:
        session["language"] = language


def client() -> str:
    """This browser's lasting random token: the one it has, or a new one."""
    return request.cookies.get(_CLIENT, "")[:64] or secrets.token_urlsafe(32)


def origin(runtime: Runtime, client: str) -> Origin:
    """Where this request comes from, for counting guesses apart from each other, and to be recognised by."""
    hops = [one.strip() for one in request.headers.get("X-Forwarded-For", "").split(",")]
    proxies = runtime.settings.proxies
    # Only what our own proxies wrote is believed: they append, so it is counted from the end.
    address = hops[-proxies] if 0 < proxies <= len(hops) else request.remote_addr or ""
    try:
        network = str(ip_network(f"{address}/{64 if ':' in address else 32}", strict=False))
    except ValueError:
        network = ""
    return Origin(client=client, network=network, device=device_words(request.user_agent.string))


def with_client(shown: ResponseReturnValue, runtime: Runtime, token: str) -> Response:
    """After a good sign-in: what others guess at this account does not slow this browser down.

    The cookie opens nothing and says nothing of whose it is; the database keeps a keyed hash of it.
    """
    response = make_response(shown)
    response.set_cookie(
        _CLIENT,
        token,
        max_age=KNOWN_FOR,
        path="/console",
        secure=_secure(runtime),
        httponly=True,
        samesite="Strict",
    )
    return response


def sign_out(runtime: Runtime) -> None:
    """End the session in the database, then the cookie."""
    token = session.get(_TOKEN)
    session.clear()
    if token:
        signing_in.sign_out(runtime, token)


def declared(app: Flask | None = None) -> Mapping[str, Gate]:
    """Every endpoint of the console with its gate."""
    return cast("Mapping[str, Gate]", (app or current_app).extensions["console_gates"])


def go(name: str, **values: Any) -> ResponseReturnValue:
    """To a page of the console, after something was done."""
    return redirect(url_for(f"console.{name}", **values), 303)


def with_code(shown: ResponseReturnValue, code: int) -> Response:
    """A page with another status than 200."""
    response = make_response(shown)
    response.status_code = code
    return response
