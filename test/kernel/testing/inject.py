# Sends frames given in hex, one a line on stdin, as they are on an interface: what AF_PACKET does and Node cannot.
import socket
import sys

channel = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
channel.bind((sys.argv[1], 0))
for line in sys.stdin:
    channel.send(bytes.fromhex(line.strip()))
