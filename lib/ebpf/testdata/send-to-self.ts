// Sends UDP packets to itself, as many as its second argument says, and ends when all have come back.
import { createSocket } from 'node:dgram'

const port = Number(process.argv[2])
const count = Number(process.argv[3])
const socket = createSocket('udp4')
let received = 0
socket.on('message', () => {
  received += 1
  if (received === count) socket.close()
})
socket.bind(port, '127.0.0.1', () => {
  for (let packet = 0; packet < count; packet += 1) socket.send('packet', port, '127.0.0.1')
})
