"""Slow senders hold no thread, and whoever sends all of it is answered, however it comes."""

import http.client
import time
from collections.abc import Iterator
from contextlib import ExitStack
from socket import create_connection, socket

import pytest
from measuring import Server, gunicorn

from gateway import gathering, serving

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
SLOW = {
    "nothing": b"",
    "a head": HEAD,
    "empty lines": b"\r\n\r\n",
    "a body": HEAD + b"Content-Length: 60000\r\n\r\nFrom=",
    "a long body": HEAD + b"Content-Length: 60000000\r\n\r\nFrom=",
    "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nFrom=\r\n",
    "a long head": HEAD + b"X: " + b"x" * 40_000,
}
WHOLE = HEAD + b"Content-Length: 5\r\n\r\n12345"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with gunicorn("tests.gateway.lengths:app", {}) as made:
        yield made


def connected(server: Server) -> socket:
    return create_connection(("127.0.0.1", server.port), timeout=30)


def answer(connection: socket) -> bytes:
    got = http.client.HTTPResponse(connection)
    got.begin()
    assert got.status == 200
    return got.read()


@pytest.mark.promise(16)
@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_slow_senders_keep_nobody_waiting(server: Server, sent: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(3 * serving.threads):
            stack.enter_context(connected(server)).sendall(sent)
        for _ in range(5):
            someone = stack.enter_context(connected(server))
            someone.sendall(WHOLE)
            assert answer(someone) == b"5"


@pytest.mark.promise(16)
def test_of_too_many_slow_senders_the_oldest_is_let_go(server: Server) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(connected(server)) for _ in range(gathering.MOST + 20)]
        for one in slow:
            one.sendall(HEAD)
        someone = stack.enter_context(connected(server))
        someone.sendall(WHOLE)
        assert answer(someone) == b"5"
        assert slow[0].recv(1) == b"", "the oldest"
        slow[-1].sendall(b"Content-Length: 3\r\n\r\n123")
        assert answer(slow[-1]) == b"3", "the newest goes on"


@pytest.mark.parametrize("size", [0, 1, 60_000, gathering.LONGEST + 1, 3_000_000])
def test_a_request_that_comes_in_pieces_is_answered_and_so_is_the_next(server: Server, size: int) -> None:
    request = HEAD + b"content-length: %d\r\n\r\n" % size + b"a" * size
    with connected(server) as someone:
        for _ in range(2):
            for at in range(0, len(request), max(10, len(request) // 4)):
                someone.sendall(request[at : at + max(10, len(request) // 4)])
                time.sleep(0.005)
            assert answer(someone) == str(size).encode()


def test_requests_sent_one_behind_the_other_are_answered_in_turn(server: Server) -> None:
    with connected(server) as someone:
        someone.sendall(WHOLE * 3 + WHOLE[:-2])
        for _ in range(3):
            assert one_answer(someone) == b"5"
        someone.sendall(b"45")
        assert one_answer(someone) == b"5"


def one_answer(connection: socket) -> bytes:
    """Byte by byte, for another answer may follow."""
    got = b""
    while not got.endswith(b"\r\n\r\n"):
        got += connection.recv(1)
    return connection.recv(1)


def test_chunks_are_read_by_a_thread(server: Server) -> None:
    with connected(server) as someone:
        someone.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n")
        someone.sendall(b"2\r\n67\r\n0\r\n\r\n")
        assert answer(someone) == b"7"


def test_long_bodies_come_one_after_the_other(server: Server) -> None:
    size = gathering.LONGEST + 1
    with connected(server) as first, connected(server) as second:
        first.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % size)
        second.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % size + b"b" * size)
        first.sendall(b"a" * size)
        assert answer(first) == answer(second) == str(size).encode()
