import assert from 'node:assert/strict'
import type { ByteMemory } from '../../../../lib/bytes/mod.ts'
import type { End } from '../../../connection/mod.ts'
import type { Protocol } from '../../decoder.ts'
import { Detector } from '../../detector.ts'
import { MessageRecorder } from '../../testing/message-recorder.ts'
import type { Recorded } from '../../testing/message-recorder.ts'
import type { TestConnection } from '../../testing/test-connection.ts'
import * as T from './frames.ts'
import { HpackEncoder } from './hpack-encoder.ts'

/** A connection of HTTP/2 that a test drives, with encoders of both sides. */
export class DrivenConnection {
  readonly connection: TestConnection
  readonly recorder: MessageRecorder
  readonly client = new HpackEncoder()
  readonly server = new HpackEncoder()
  readonly #memory: ByteMemory
  #time = 0

  /** @param begin both sides have sent what a connection begins with */
  constructor(memory: ByteMemory, protocols: readonly Protocol[], connection: TestConnection, begin = true) {
    this.#memory = memory
    this.connection = connection
    this.recorder = new MessageRecorder(memory)
    this.connection.use(new Detector({ memory, protocols, sink: this.recorder, control: connection }))
    if (!begin) return
    this.c(T.CLIENT_START)
    this.s(T.settings([3, 100]), T.settingsAck())
  }

  /** The time of the next packet. */
  protected next(): number {
    return ++this.#time
  }

  c(...frames: Buffer[]): this {
    this.connection.send(0, Buffer.concat(frames), this.next())
    return this
  }

  s(...frames: Buffer[]): this {
    this.connection.send(1, Buffer.concat(frames), this.next())
    return this
  }

  lose(side: 0 | 1, length: number): this {
    this.connection.lose(side, length, this.next())
    return this
  }

  /** Closes; nothing may be left. @returns the messages that came */
  protected close(cause: End): readonly Recorded[] {
    this.connection.close(this.next(), cause)
    assert.equal(this.#memory.allocator.allocatedBytes(), 0, 'blocks are left')
    return this.recorder.messages
  }
}
