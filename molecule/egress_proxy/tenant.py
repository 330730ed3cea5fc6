"""Stand for a tenant in the cloud: 200 kB over TLS on 443 and 8443, and the same without TLS on 80."""

import hashlib
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAYLOAD = bytes(range(256)) * 800


class Tenant(BaseHTTPRequestHandler):
    """Answers with the payload, its digest, and whatever the proxy added to the request."""

    def do_GET(self) -> None:
        """Send the payload."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(PAYLOAD)))
        self.send_header("X-Digest", hashlib.sha256(PAYLOAD).hexdigest())
        self.send_header("X-Seen", ", ".join(sorted({*self.headers} & {"Via", "X-Forwarded-For"})) or "nothing")
        self.end_headers()
        self.wfile.write(PAYLOAD)


def main() -> None:
    """Serve for ever."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("tenant.crt", "tenant.key")
    for port in (80, 443, 8443):
        server = ThreadingHTTPServer(("", port), Tenant)
        if port != 80:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever).start()


if __name__ == "__main__":
    main()
