"""A chat endpoint on this machine, which answers as it is told."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

VERDICT = {"unsupported": ["painted grey"], "risk": 0.9}


def answer(verdict: object) -> tuple[int, dict[str, str], bytes]:
    content = verdict if isinstance(verdict, str) else json.dumps(verdict)
    return 200, {}, json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode()


class ChatServer:
    """Answers as it is told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.replies: list[tuple[int, dict[str, str], bytes]] = []
        self.otherwise: Callable[[dict], tuple[int, dict[str, str], bytes]] = lambda _: answer(VERDICT)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.asked.append(body)
                outer.headers.append(dict(self.headers))
                outer.paths.append(self.path)
                status, headers, content = outer.replies.pop(0) if outer.replies else outer.otherwise(body)
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"
        self._thread = Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
