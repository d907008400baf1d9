"""A process that answers 200 on every path of the port in its first argument."""

import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.stdout.write("answering\n")
sys.stdout.flush()
HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
