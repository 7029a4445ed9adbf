"""The least that can stand in for a provider's API: places every call at once, and notes when and for whom."""

import hashlib
import re
import selectors
import socket
import sys
import time

_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
_TO = re.compile(rb"(?:^|&)To=([^&]+)")


def main() -> None:
    port, file = int(sys.argv[1]), sys.argv[2]
    listening = socket.create_server(("127.0.0.1", port), backlog=1024)
    listening.setblocking(False)  # noqa: FBT003 - its only parameter
    with open(file, "a", buffering=1, encoding="ascii") as times, selectors.DefaultSelector() as selector:  # noqa: PTH123 - kept open
        selector.register(listening, selectors.EVENT_READ)
        held: dict[socket.socket, bytes] = {}
        count = 0
        while True:
            for key, _ in selector.select():
                if key.fileobj is listening:
                    line, _ = listening.accept()
                    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(line, selectors.EVENT_READ)
                    held[line] = b""
                    continue
                line = key.fileobj
                assert isinstance(line, socket.socket)
                data = line.recv(65_536)
                if not data:
                    selector.unregister(line)
                    line.close()
                    del held[line]
                    continue
                came = time.time()
                held[line] += data
                head, there, body = held[line].partition(b"\r\n\r\n")
                length = _LENGTH.search(head)
                if not there or len(body) < (int(length[1]) if length else 0):
                    continue
                held[line] = b""
                count += 1
                if to := _TO.search(body):
                    times.write(f"{came:.6f} {hashlib.sha256(to[1]).hexdigest()[:16]}\n")
                # Whatever else is asked is a call that is taken back, or looked for.
                status = b"queued" if to else b"canceled"
                answer = b'{"sid": "CA%032x", "status": "%s", "calls": []}' % (count, status)
                line.sendall(
                    b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                    % (len(answer), answer)
                )


if __name__ == "__main__":
    main()
