"""Client of the matrix in Python: http.client for HTTP/1, h2 (Debian's package, so Debian's Python) for HTTP/2.

Arguments: version ("1" or "2"), scheme, port, path, count. Each third request has a body of 1,000 bytes times its number.
"""
import http.client
import socket
import ssl
import sys

version, scheme, port, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
context = ssl._create_unverified_context()


def fields(index):
    name = 'python-%d' % index
    return [('x-request-id', name), ('x-same', 'one'), ('x-odd', 'a;b="c, d"='), ('x-same', 'two'), ('x-empty', '')]


def body(index):
    return b'x' * (index * 1000) if index % 3 == 2 else None


def ask_one():
    connection = http.client.HTTPConnection('127.0.0.1', port)
    if scheme == 'https':
        connection = http.client.HTTPSConnection('127.0.0.1', port, context=context)
    for index in range(count):
        connection.putrequest('GET' if body(index) is None else 'POST', '%s/%d' % (path, index))
        for name, value in fields(index):
            connection.putheader(name, value)
        if body(index) is not None:
            connection.putheader('Content-Length', str(len(body(index))))
        connection.endheaders(body(index))
        connection.getresponse().read()


def ask_two():
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.events import StreamEnded

    sock = socket.create_connection(('127.0.0.1', port))
    if scheme == 'https':
        context.set_alpn_protocols(['h2'])
        sock = context.wrap_socket(sock)
        assert sock.selected_alpn_protocol() == 'h2'
    connection = H2Connection(H2Configuration(header_encoding='utf-8'))
    connection.initiate_connection()
    for index in range(count):
        pseudo = [(':method', 'GET' if body(index) is None else 'POST'), (':authority', '127.0.0.1:%d' % port),
                  (':scheme', scheme), (':path', '%s/%d' % (path, index))]
        stream = connection.get_next_available_stream_id()
        connection.send_headers(stream, pseudo + fields(index), end_stream=body(index) is None)
        if body(index) is not None:
            connection.send_data(stream, body(index), end_stream=True)
    sock.sendall(connection.data_to_send())
    ended = 0
    while ended < count:
        data = sock.recv(65536)
        assert data, 'the server closed after %d of %d' % (ended, count)
        ended += sum(isinstance(event, StreamEnded) for event in connection.receive_data(data))
        sock.sendall(connection.data_to_send())
    connection.close_connection()
    sock.sendall(connection.data_to_send())
    sock.close()


if version == '1':
    ask_one()
else:
    ask_two()
