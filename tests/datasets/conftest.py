"""A server on this machine that fails as servers and networks do, and a folder of Keras."""

import hashlib
import http.server
import socket
import struct
import threading

import pytest


class Server(http.server.ThreadingHTTPServer):
    """Serves `files` by path; `script` says how the next requests go wrong.

    Each word of the script is used for one request: "drop" resets the connection halfway,
    "truncate" announces all and ends after half, "stall" sends half and then nothing, "corrupt"
    flips a byte, "swap" serves a file that has been replaced, "elsewhere" sends another range than
    asked for; a number answers with that status.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.script, self.ranges = {}, [], []
        self.knows_ranges = self.sends_length = True
        self.etag, self.date, self.encoding = '"{}"', None, None
        self.released = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        """Connections are broken off on purpose."""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server, way = self.server, self.server.script.pop(0) if self.server.script else ""
        server.ranges.append(self.headers.get("Range"))
        if isinstance(way, int):
            return self.send_error(way)
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/moved"))
            return self.end_headers()
        if self.path not in server.files:
            return self.send_error(404)
        if way == "swap":
            server.files[self.path] = server.files[self.path][::-1]
        self.send_file(server.files[self.path], way)

    def send_file(self, content, way):
        server = self.server
        etag = server.etag.format(hashlib.sha256(content).hexdigest()[:16])
        start, asked = 0, self.headers.get("Range")
        same = self.headers.get("If-Range") in (None, etag, server.date)
        if asked and server.knows_ranges and same:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            start -= 100 * (way == "elsewhere")
        if start and start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        for name, value in [
            ("ETag", etag),
            ("Last-Modified", server.date),
            ("Content-Encoding", server.encoding),
        ]:
            if value:
                self.send_header(name, value)
        rest = content[start:]
        if server.sends_length:
            self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        half = len(rest) // 2
        if way == "corrupt":
            rest = rest[:half] + bytes([rest[half] ^ 1]) + rest[half + 1 :]
        self.wfile.write(rest[:half] if way in ("drop", "truncate", "stall") else rest)
        self.wfile.flush()
        if way == "stall":
            server.released.wait(20)
        if way == "drop":
            # Zero seconds to linger: the client gets a reset, not an end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, *arguments):
        """Nothing is printed."""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A folder of Keras of the test's own."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def web():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()
