"""
Servers whose answering process is not the one that accepted.

In    argv: a mode and a port. Modes: fork (the child reads and answers), pass (the acceptor sends the descriptor to another process,
      which reads and answers), late (the acceptor reads the request, the other process answers).
Out   HTTP answers whose body is the pid of the process that wrote them; "ready" on standard output.
"""
import os
import socket
import sys

mode, port = sys.argv[1], int(sys.argv[2])


def read_head(connection):
    head = b''
    while b'\r\n\r\n' not in head:
        part = connection.recv(65536)
        if not part:
            return False
        head += part
    return True


def answer(connection):
    body = b'%d' % os.getpid()
    connection.sendall(b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' % (len(body), body))
    connection.close()


def other_process():
    """A process that answers on each descriptor it is handed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() != 0:
        theirs.close()
        return ours
    ours.close()
    while True:
        what, descriptors, _, _ = socket.recv_fds(theirs, 1, 1)
        if not what:
            os._exit(0)
        connection = socket.socket(fileno=descriptors[0])
        if what == b'p':
            read_head(connection)
        answer(connection)


listener = socket.create_server(('127.0.0.1', port), backlog=128)
helper = None if mode == 'fork' else other_process()
print('ready', flush=True)
while True:
    connection, _ = listener.accept()
    if helper is None:
        if os.fork() == 0:
            if read_head(connection):
                answer(connection)
            os._exit(0)
        while True:
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    break
            except ChildProcessError:
                break
    else:
        if mode == 'late':
            read_head(connection)
        socket.send_fds(helper, [b'p' if mode == 'pass' else b'l'], [connection.fileno()])
    connection.close()
