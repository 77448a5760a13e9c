"""A client of HTTPS by Python's ssl: PORT PREFIX COUNT PAUSE_MS MODE. Says "done ID" for each response that it read whole.

MODE keep: one connection. fresh: one for each request. upload: a body in pieces. slow: a response that takes a while.
"""
import http.client
import ssl
import sys
import time

port, prefix, count, pause_ms, mode = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE


def connect():
    return http.client.HTTPSConnection('127.0.0.1', port, context=context, timeout=20)


def pieces():
    for _ in range(8):
        yield b'x' * 4000
        time.sleep(pause_ms / 1000)


connection = connect()
for index in range(count):
    name = prefix + str(index)
    try:
        if mode == 'upload':
            headers = {'X-Request-ID': name, 'Content-Length': '32000'}
            connection.request('POST', '/upload', body=pieces(), headers=headers)
        else:
            connection.request('GET', '/slow' if mode == 'slow' else '/python', headers={'X-Request-ID': name})
        answer = connection.getresponse()
        answer.read()
        print('done' if answer.status == 200 else 'failed', name, answer.status, flush=True)
    except (OSError, http.client.HTTPException) as error:
        print('failed', name, repr(error), flush=True)
        connection = connect()
    if mode == 'fresh':
        connection.close()
    time.sleep(pause_ms / 1000)
connection.close()
