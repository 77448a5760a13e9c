"""A server of HTTPS by Python's ssl: PORT CERTIFICATE KEY. Which OpenSSL it loads, LD_LIBRARY_PATH says."""
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def answer(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        text = b'%d\n' % len(body)
        self.send_response(200)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = answer
    do_POST = answer

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    def finish_request(self, request, address):
        # The handshake belongs to the connection's own thread.
        super().finish_request(context.wrap_socket(request, server_side=True), address)

    def handle_error(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
server = Server(('127.0.0.1', int(sys.argv[1])), Handler)
print('listening', flush=True)
server.serve_forever()
