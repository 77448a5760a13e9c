"""Sends frames of connections that nobody has into lo, each from an address and port of its own.

    flood.py KIND COUNT PORT RATE

RATE: connections a second; 0 = as fast as it goes.
KIND: syn, a SYN and no more; slow, a handshake and a piece of a request's head; open, a handshake and one whole exchange.
Both ends are outside of this machine (RFC 2544, RFC 5737), so the kernel drops what has passed the hooks.
"""
import socket
import struct
import sys
import time

SYN, ACK, PUSH = 2, 16, 8
CLIENT, SERVER = socket.inet_aton("198.18.0.0"), socket.inet_aton("198.51.100.1")
CLIENT_ISN, SERVER_ISN = 1000, 5000
PORTS_OF_ADDRESS = 16
PACE = 50  # connections between two looks at the clock
SLOW = b"GET /flood HTTP/1.1\r\nHost: flood\r\nX-Slow: a piece of a "
REQUEST = b"GET /flood HTTP/1.1\r\nHost: flood\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def steps_of(kind):
    """Of each packet: whether the server sends it, flags, sequence and acknowledgement number, payload."""
    handshake = [(False, SYN, CLIENT_ISN, 0, b""), (True, SYN | ACK, SERVER_ISN, CLIENT_ISN + 1, b"")]
    if kind == "syn":
        return handshake[:1]
    head = SLOW if kind == "slow" else REQUEST
    sent = handshake + [(False, ACK | PUSH, CLIENT_ISN + 1, SERVER_ISN + 1, head)]
    return sent if kind == "slow" else sent + [(True, ACK | PUSH, SERVER_ISN + 1, CLIENT_ISN + 1 + len(head), RESPONSE)]


def template(step):
    of_server, flags, sequence, acknowledged, payload = step
    ethernet = bytes(12) + b"\x08\x00"
    addresses = SERVER + CLIENT if of_server else CLIENT + SERVER
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 40 + len(payload), 0, 0x4000, 64, 6, 0) + addresses
    tcp = struct.pack("!HHIIBBHHH", 0, 0, sequence, acknowledged, 0x50, flags, 65535, 0, 0)
    return bytearray(ethernet + ip + tcp + payload)


def main():
    kind, count, port, rate = sys.argv[1], *map(int, sys.argv[2:5])
    # Where the client's address and port stand: of a packet that the server sends they are the destination's.
    frames = [(template(step), 30 if step[0] else 26, 36 if step[0] else 34) for step in steps_of(kind)]
    for frame, _, at in frames:
        struct.pack_into("!H", frame, 36 if at == 34 else 34, port)
    first = struct.unpack("!I", CLIENT)[0]
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind(("lo", 0))
    start = time.monotonic()
    for index in range(count):
        if rate and index % PACE == 0:
            time.sleep(max(0, start + index / rate - time.monotonic()))
        address, client_port = first + index // PORTS_OF_ADDRESS, 20000 + index % PORTS_OF_ADDRESS
        for frame, address_at, port_at in frames:
            struct.pack_into("!I", frame, address_at, address)
            struct.pack_into("!H", frame, port_at, client_port)
            out.send(frame)


main()
