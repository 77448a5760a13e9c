import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { HEADER_UPGRADE } from '../../../wasm/header-ids.ts'
import type { StreamHandler } from '../../connection/mod.ts'
import { headValue } from '../head-value.ts'
import type { TunnelOpening } from '../tunnel.ts'
import { WebSocketTunnel } from './web-socket-tunnel.ts'
import { WebSocket } from './web-socket.ts'

/** The handler of a connection that a 101 made a WebSocket (RFC 6455 4.2.2); undefined when it speaks something else now. */
export function openWebSocket(memory: ByteMemory, opening: TunnelOpening): StreamHandler | undefined {
  const { control, sink, exchange, client, response, time } = opening
  if (headValue(memory, response, HEADER_UPGRADE)?.toLowerCase() !== 'websocket') return undefined
  const webSocket = new WebSocket({ memory, control, sink, exchange, client, response, startTime: time })
  sink.webSocketOpened?.(control, webSocket)
  return new WebSocketTunnel(webSocket, control)
}
