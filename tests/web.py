"""Web servers in threads that resume, break off, change their mind or talk nonsense, for tests of downloads."""

import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Site:
    """What is served, and what was asked.

    Attributes:
        content: By path.
        version: The ETag of everything.
        breaks_after: Bytes after which the next response ends; None lets it end well.
        ranges: Whether a part may be asked for.
        requests: The range header of every request so far, None where there was none.
    """

    def __init__(self):
        self.content = {}
        self.version = '"one"'
        self.breaks_after = None
        self.ranges = True
        self.requests = []
        self.url = ""


@contextmanager
def served():
    """A running site."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            asked = self.headers.get("Range")
            site.requests.append(asked)
            content = site.content.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
            if self.headers.get("If-Range", site.version) != site.version or not site.ranges:
                start, asked = 0, None
            if asked and start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if asked else 200)
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            if site.version:
                self.send_header("ETag", site.version)
            self.end_headers()
            stop = len(content) if site.breaks_after is None else start + site.breaks_after
            site.breaks_after = None
            self.wfile.write(content[start:stop])
            self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def answering(*answers):
    """The address of a server that sends these bytes, one answer a connection, the last one for ever.

    `{url}` in an answer stands for the address.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    waiting = [answer.replace(b"{url}", url.encode()) for answer in answers]

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                request = b""
                while b"\r\n\r\n" not in request and (more := connection.recv(4096)):
                    request += more
                try:
                    connection.sendall(waiting.pop(0) if len(waiting) > 1 else waiting[0])
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield url
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
