"""Thousands of tests make an application each: what Flask compiles for it is compiled once a process."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule


class _Templates(BytecodeCache):
    """Compiled templates, in memory; Jinja compares their sources by itself."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, Any]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self._kept.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = (bucket.checksum, bucket.code)


def compile_once() -> None:
    """From here on; an application that is made behaves as any other."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": _Templates()}
    built: dict[tuple[str, bool, str], Callable[..., Any]] = {}
    build = Rule._compile_builder

    def builder(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        known = (rule.rule, append_unknown, repr((rule.defaults, rule.host, rule.subdomain)))
        if known not in built:
            built[known] = build(rule, append_unknown)
        return built[known]

    Rule._compile_builder = builder  # type: ignore[method-assign]
