"""
Clients that are hard to name.

In    argv: a mode, a port and a path. Modes: gone (ends at once after it has sent), exec (another program sends on the socket that
      this one has opened), twice (opens now, sends when a line comes on standard input), reuse (two processes with one pid after the other).
Out   standard output: what the test compares with.
"""
import os
import socket
import sys

mode, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
REQUEST = 'GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'


def connect():
    return socket.create_connection(('127.0.0.1', port))


def ask(connection, where):
    connection.sendall((REQUEST % where).encode())
    while connection.recv(65536):
        pass
    connection.close()


def same_pid_again():
    """Forks until a child has the pid that another child had before; the pids of processes are given out in order."""
    for attempt in range(1000):
        first = os.fork()
        if first == 0:
            ask(connect(), '%s/first/%d' % (path, attempt))
            os._exit(0)
        os.waitpid(first, 0)
        with open('/proc/sys/kernel/ns_last_pid', 'w') as last:
            last.write(str(first - 1))
        second = os.fork()
        if second == 0:
            if os.getpid() == first:
                os.execv('/usr/bin/curl', ['curl', '-s', '-o', '/dev/null', 'http://127.0.0.1:%d%s/second/%d' % (port, path, attempt)])
            os._exit(0)
        os.waitpid(second, 0)
        if second == first:
            return first, attempt
    raise SystemExit('no pid came twice')


if mode == 'gone':
    connection = connect()
    connection.sendall((REQUEST % path).encode())
    os._exit(0)
elif mode == 'exec':
    connection = connect()
    os.set_inheritable(connection.fileno(), True)
    os.execv('/bin/sh', ['sh', '-c', 'printf "$1" >&%d; cat <&%d >/dev/null' % (connection.fileno(), connection.fileno()), 'sh',
                         (REQUEST % path).replace('\r\n', '\\r\\n')])
elif mode == 'twice':
    connection = connect()
    print('open', flush=True)
    sys.stdin.readline()
    ask(connection, path)
elif mode == 'reuse':
    print(*same_pid_again())
