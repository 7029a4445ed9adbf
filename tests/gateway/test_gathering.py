"""Who sends or reads slowly holds no thread, and whoever sends all of it is answered, however it comes."""

import http.client
import time
from collections.abc import Iterator
from contextlib import ExitStack
from socket import SO_RCVBUF, SOL_SOCKET, create_connection, socket

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


def connected(server: Server, seconds: float = 30) -> socket:
    return create_connection(("127.0.0.1", server.port), timeout=seconds)


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


READERS = {
    "of bytes": b"GET /memory/4000000 HTTP/1.1\r\nHost: x\r\n\r\n",
    "of pieces": b"GET /pieces/4000000 HTTP/1.1\r\nHost: x\r\n\r\n",
    "of a file": b"GET /file/4000000 HTTP/1.1\r\nHost: x\r\n\r\n",
    "of many": b"GET /file/4000000 HTTP/1.1\r\nHost: x\r\n\r\n" * 5,
    "who never close": b"GET /ignored HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "who send on": b"POST /ignored HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n",
}


@pytest.mark.promise(16)
@pytest.mark.parametrize("asked", READERS.values(), ids=READERS)
def test_slow_readers_keep_nobody_waiting(server: Server, asked: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(3 * serving.threads):
            slow = stack.enter_context(socket())
            slow.setsockopt(SOL_SOCKET, SO_RCVBUF, 2048)
            slow.connect(("127.0.0.1", server.port))
            slow.sendall(asked)
        for _ in range(5):
            someone = stack.enter_context(connected(server, 15))
            someone.sendall(WHOLE)
            assert answer(someone) == b"5"


@pytest.mark.parametrize(("kind", "byte"), [("bytes", b"m"), ("pieces", b"p"), ("a file", b"\0")])
def test_a_long_answer_that_is_read_late_comes_whole_and_so_does_the_next(
    server: Server, kind: str, byte: bytes
) -> None:
    with connected(server) as someone:
        for _ in range(2):
            someone.sendall(READERS[f"of {kind}"])
            time.sleep(0.1)
            got = http.client.HTTPResponse(someone)
            got.begin()
            assert got.read() == byte * 4_000_000


@pytest.mark.promise(16)
def test_of_too_many_slow_readers_whoever_has_most_left_is_let_go(server: Server) -> None:
    with ExitStack() as stack:
        for _ in range(12):  # of which eight fit into what is held
            slow = stack.enter_context(connected(server))
            slow.sendall(READERS["of bytes"])
        for _ in range(gathering.UNREAD + 20):
            stack.enter_context(connected(server)).sendall(READERS["of a file"])
        someone = stack.enter_context(connected(server, 15))
        someone.sendall(WHOLE)
        assert answer(someone) == b"5"


@pytest.mark.promise(16)
def test_connections_that_stay_open_for_more_shut_nobody_out(server: Server) -> None:
    with ExitStack() as stack:
        for _ in range(serving.worker_connections + 20):
            someone = stack.enter_context(connected(server, 15))
            someone.sendall(WHOLE)
            assert answer(someone) == b"5"


def test_a_head_that_is_too_long_is_refused(server: Server) -> None:
    with connected(server) as someone:
        someone.sendall(SLOW["a long head"])
        got = http.client.HTTPResponse(someone)
        got.begin()
        assert got.status == 431


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


def test_chunks_are_gathered_too(server: Server) -> None:
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
