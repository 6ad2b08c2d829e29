"""A server on this machine that speaks as much of the hub's protocol as downloads need.

Endpoints and headers are those of huggingface.co: the list of files under `/api/models/NAME`, files
under `/NAME/resolve/REVISION/FILE`, large ones by way of a redirect to `/cdn/…`.
"""

import hashlib
import http.server
import json
import re
import threading
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

_INFO = re.compile(r"/api/models/(?P<name>.+?)(?:/revision/(?P<revision>.+))?")
_FILE = re.compile(r"/(?P<name>[^/]+(?:/[^/]+)?)/resolve/(?P<revision>[^/]+)/(?P<file>.+)")
_ERRORS = {"RepoNotFound": 401, "RevisionNotFound": 404, "EntryNotFound": 404, "GatedRepo": 403}


class HubServer(http.server.ThreadingHTTPServer):
    """Serves repositories.

    Attributes:
        revisions: Commit by name of a repository and revision.
        files: Content by commit and name of a file.
        requests: What was asked for, as "METHOD /path".
        tokens: What was sent as authorization.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.revisions, self.files, self.requests, self.tokens, self._ways = {}, {}, [], set(), []
        self.released = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def add(self, name, files, revision="main"):
        """Let a revision be a new commit with these files; returns the commit."""
        content = json.dumps([name, sorted(files), [hash(each) for each in files.values()]])
        commit = hashlib.sha1(content.encode()).hexdigest()
        self.files[commit] = files
        self.revisions[name, revision] = self.revisions[name, commit] = commit
        return commit

    def fail(self, part, way, times=999):
        """Let requests go wrong whose "METHOD /path" contains `part`.

        The way is a status; "GatedRepo" or another error of the hub; "truncate", which ends after
        half; or "stall", which sends half and then nothing.
        """
        self._ways = [(part, way)] * times

    def way_of(self, request):
        if self._ways and self._ways[0][0] in request:
            return self._ways.pop()[1]
        return ""

    def fetched(self):
        """Names of the files whose content was sent."""
        sent = re.compile(r"GET /(?:.+/resolve|cdn)/[^/]+/(.+)")
        return sorted(match[1] for match in map(sent.fullmatch, self.requests) if match)

    def handle_error(self, request, client_address):
        """Connections are broken off on purpose."""


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = urlsplit(self.path).path
        self.server.requests.append(f"{self.command} {path}")
        self.server.tokens.add(self.headers.get("Authorization"))
        way = self.server.way_of(f"{self.command} {path}")
        if isinstance(way, int):
            return self.answer(way)
        if way in _ERRORS:
            return self.refuse(way)
        if match := _INFO.fullmatch(path):
            return self.send_info(match["name"], unquote(match["revision"] or "main"), way)
        if match := _FILE.fullmatch(path):
            return self.send_file(*map(unquote, match.groups()), way)
        commit, _, name = path.removeprefix("/cdn/").partition("/")
        return self.send(self.server.files[commit][name], way)

    do_HEAD = do_GET

    def commit(self, name, revision):
        if (name, revision) in self.server.revisions:
            return self.server.revisions[name, revision]
        known = any(each == name for each, _ in self.server.revisions)
        self.refuse("RevisionNotFound" if known else "RepoNotFound")

    def send_info(self, name, revision, way):
        if commit := self.commit(name, revision):
            siblings = [{"rfilename": each} for each in self.server.files[commit]]
            self.send(json.dumps({"id": name, "sha": commit, "siblings": siblings}).encode(), way)

    def send_file(self, name, revision, file, way):
        commit = self.commit(name, revision)
        if commit is None:
            return
        content = self.server.files[commit].get(file)
        if content is None:
            return self.refuse("EntryNotFound", {"X-Repo-Commit": commit})
        etag = f'"{hashlib.sha1(content).hexdigest()}"'
        headers = {"X-Repo-Commit": commit, "ETag": etag}
        if not file.endswith((".safetensors", ".bin")):
            return self.send(content, way, headers)
        linked = {"X-Linked-Etag": etag, "X-Linked-Size": str(len(content))}
        # Of another host, whose files the library takes to be a store's.
        store = self.server.url.replace("127.0.0.1", "localhost")
        location = {"Location": f"{store}/cdn/{commit}/{file}"}
        self.answer(302, {**headers, **linked, **location})

    def send(self, content, way, headers=()):
        start = 0
        if asked := self.headers.get("Range"):
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        rest = content[start:]
        for name, value in {**dict(headers), "Content-Length": str(len(rest))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(rest[: len(rest) // 2] if way in ("truncate", "stall") else rest)
        self.wfile.flush()
        if way == "stall":
            self.server.released.wait(20)
        if way:
            self.close_connection = True

    def refuse(self, error, headers=()):
        self.answer(_ERRORS[error], {**dict(headers), "X-Error-Code": error})

    def answer(self, status, headers=()):
        self.send_response(status)
        for name, value in {**dict(headers), "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *arguments):
        """Nothing is printed."""


@contextmanager
def serving():
    """A server that runs."""
    server = HubServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
