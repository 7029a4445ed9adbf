"""The door of every webhook: size, type and signature are checked before any field is used."""

from collections.abc import Callable
from functools import wraps
from typing import Final
from urllib.parse import parse_qsl

from flask import Response, current_app, request

from gateway.carriers.base import BadForm, Request
from gateway.errors import BadSignature
from gateway.runtime import Runtime

Form = list[tuple[str, str]]

LARGEST: Final = 64 * 1024
_FIELDS: Final = 300
_FORM: Final = "application/x-www-form-urlencoded"


def runtime() -> Runtime:
    """The runtime of the application that answers this request."""
    found: Runtime = current_app.extensions["hotline"]
    return found


def signed(view: Callable[..., Response]) -> Callable[..., Response]:
    """Let a view see only forms that the carrier signed: 413, 415, 403 otherwise, in this order.

    The view is called with the form's fields in the order they came, then the route's own arguments.
    """

    @wraps(view)
    def guarded(**arguments: str) -> Response:
        try:
            form = _form()
            runtime().carrier.check(
                Request(
                    method=request.method,
                    path=_raw_path(),
                    query=request.query_string.decode("latin-1"),
                    headers={name.lower(): value for name, value in request.headers.items()},
                    form=form,
                )
            )
            return view(form, **arguments)
        except _Unfit as unfit:
            return refusal(unfit.status)
        except BadSignature:
            return refusal(403)
        except BadForm:
            return refusal(400)

    guarded.gate = "signed"  # type: ignore[attr-defined]  # read by the house test that walks the routes
    return guarded


class _Unfit(Exception):  # noqa: N818 - a refusal, not an error
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def _form() -> Form:
    """The form's fields as sent; read before the signature only as far as checking it needs."""
    if (request.content_length or 0) > LARGEST:
        raise _Unfit(413)
    body = request.stream.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise _Unfit(413)
    if request.mimetype != _FORM:
        raise _Unfit(415)
    try:
        return parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict"
        )
    except ValueError:  # not UTF-8, or more fields than anybody sends
        raise _Unfit(403) from None


def public(view: Callable[..., Response]) -> Callable[..., Response]:
    """Mark a view that anybody may fetch, on purpose."""
    view.gate = "public"  # type: ignore[attr-defined]  # read by the house test that walks the routes
    return view


def refusal(status: int) -> Response:
    """No words: a refusal must not tell a stranger anything."""
    return Response(status=status)


def _raw_path() -> str:
    """The path exactly as it was sent: Flask has decoded its own copy, and a signature is over the raw one."""
    raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.path
    return str(raw).partition("?")[0]
