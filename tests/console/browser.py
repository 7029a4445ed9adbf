"""A person at the console, as the tests see one."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from typing import Protocol

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.runtime import Runtime
from gateway.services.signing_in import current_code
from gateway.store.counselors import Role

PASSWORD = "lantern-ferry-mango"


@dataclass
class Browser:
    """A person at a browser: signs in with both factors, and presses the buttons that the page has."""

    client: FlaskClient
    runtime: Runtime
    last: TestResponse | None = field(default=None)

    def get(self, path: str, **headers: str) -> TestResponse:
        self.last = self.client.get(f"/console{path}", headers={"Accept-Language": "en"} | headers)
        return self.last

    def post(self, path: str, *, follow: bool = True, **form: str) -> TestResponse:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.last.text if self.last else "")
        token = {"csrf_token": unescape(found.group(1))} if found else {}
        self.last = self.client.post(
            f"/console{path}",
            data=token | form,
            headers={"Accept-Language": "en"},
            follow_redirects=follow,
        )
        return self.last

    def sign_in(self, alias: str, password: str = PASSWORD) -> "Browser":
        self.get("/sign-in")
        code = current_code(self.runtime, alias) or ""
        assert self.post("/sign-in", alias=alias, password=password, code=code).status_code == 200
        return self


class Person(Protocol):
    """`person("mya")` makes the account, with a phone, and signs it in."""

    def __call__(
        self, alias: str, role: Role = Role.COUNSELOR, *, phone: bool = True, language: str = "en"
    ) -> Browser: ...


class Asked(Protocol):
    """Somebody asked to be rung, as a call would have it; gives the request's id."""

    def __call__(
        self, handle: str = ..., wish: str = ..., language: str = ..., ago: timedelta = ...
    ) -> str: ...
