import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "18")
        self.end_headers()
        self.wfile.write(b"hello from python\n")

    def log_message(self, *_arguments):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["APP_PORT"])), Hello).serve_forever()
