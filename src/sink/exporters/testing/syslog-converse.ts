/** The server's side of syslog over TCP (RFC 5424 with the octet counting of RFC 6587), read strictly, and never answered. */
import assert from 'node:assert/strict'
import type { Kept } from '../exporter.suite.ts'
import type { Converse } from './stream-server.ts'

const MESSAGE = /^<(\d{1,3})>1 (\S+) (\S+) (\S+) (\S+) (\S+) \[lintel@32473 id="([0-9a-f]{16}-\d+)"\] (.*)$/s

export interface SyslogMessage {
  readonly priority: number
  readonly time: string
  readonly host: string
  readonly id: string
  readonly body: string
}

export function readMessage(text: string): SyslogMessage {
  const [, priority, time = '', host = '', app, , kind, id = '', body = ''] = MESSAGE.exec(text) ?? assert.fail(`no message of RFC 5424: ${text}`)
  assert.deepEqual([app, kind], ['lintel', 'exchange'])
  return { priority: Number(priority), time, host, id, body }
}

/** @param read what a message is kept as */
export function syslogConverse(read: (message: SyslogMessage) => Kept = readKept): Converse {
  return async (socket, server) => {
    let waiting = Buffer.alloc(0)
    for await (const part of socket as AsyncIterable<Buffer>) {
      waiting = Buffer.concat([waiting, part])
      const messages: SyslogMessage[] = []
      for (let end = endOf(waiting); end !== undefined && end <= waiting.length; end = endOf(waiting)) {
        messages.push(readMessage(waiting.toString('utf8', waiting.indexOf(' ') + 1, end)))
        waiting = waiting.subarray(end)
      }
      if (messages.length > 0) server.batch(messages.map(read), socket, () => undefined)
    }
  }
}

/** Where the first message ends; undefined as long as its length is not there. */
function endOf(bytes: Buffer): number | undefined {
  const space = bytes.indexOf(' ')
  if (space === -1) return undefined
  const count = bytes.toString('latin1', 0, space)
  assert.match(count, /^[1-9]\d*$/)
  return space + 1 + Number(count)
}

/** Of a body that is a record, or an event of OCSF. */
export function readKept({ id, body }: SyslogMessage): Kept {
  const record = JSON.parse(body) as { event?: { sequence: number }, metadata?: { sequence: number }, http?: { request: { header: Record<string, string[]> } } }
  return { id, number: (record.event ?? record.metadata)?.sequence as number, hostile: record.http?.request.header['x-hostile'] }
}
