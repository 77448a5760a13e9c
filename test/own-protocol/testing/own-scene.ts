import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { END } from '../../../src/connection/mod.ts'
import type { End, Side } from '../../../src/connection/mod.ts'
import { createProtocols, Detector, loadDecoders, OwnProtocol } from '../../../src/decode/mod.ts'
import type { LoadedDecoder } from '../../../src/decode/mod.ts'
import type { Decoder } from '../../../src/decode/own/contract.ts'
import { MessageRecorder } from '../../../src/decode/testing/message-recorder.ts'
import { TestConnection } from '../../../src/decode/testing/test-connection.ts'

export const EXAMPLE = fileURLToPath(new URL('../../../examples/length-prefixed/decoder.ts', import.meta.url))

export async function exampleDecoder(): Promise<LoadedDecoder> {
  const [loaded] = await loadDecoders([EXAMPLE])
  return loaded!
}

const inputs = new WeakMap<ByteMemory, number>()

function inputOf(memory: ByteMemory): number {
  const input = inputs.get(memory) ?? TestConnection.reserveInput(memory)
  inputs.set(memory, input)
  return input
}

/** One run with one decoder of the user's own beside the built-in ones. */
export class OwnRun {
  readonly logged: string[] = []
  readonly anomalies: string[] = []
  readonly protocol: OwnProtocol
  readonly #memory: ByteMemory

  constructor(loaded: LoadedDecoder | Decoder, memory: ByteMemory) {
    this.#memory = memory
    const whole = 'decoder' in loaded ? loaded : { decoder: loaded, file: import.meta.url }
    this.protocol = new OwnProtocol(memory, whole, 0, {
      log: (level, message) => { this.logged.push(`${level}: ${message}`) },
      anomaly: (name) => { this.anomalies.push(name) },
    })
  }

  connect(ports: readonly [number, number] = [40_000, 9400], client: Side | 'unknown' = 0): OwnScene {
    return new OwnScene(this, this.#memory, ports, client === 'unknown' ? undefined : client)
  }
}

/** One connection of such a run. */
export class OwnScene {
  readonly run: OwnRun
  readonly recorder: MessageRecorder
  readonly connection: TestConnection
  #time = 0

  constructor(run: OwnRun, memory: ByteMemory, ports: readonly [number, number], client: Side | undefined) {
    this.run = run
    this.recorder = new MessageRecorder(memory)
    this.connection = new TestConnection(memory, inputOf(memory), { ports, client })
    this.connection.use(new Detector({
      memory, protocols: createProtocols(memory, { own: [run.protocol] }), sink: this.recorder, control: this.connection,
    }))
  }

  static async open(loaded: LoadedDecoder | Decoder, memory: ByteMemory): Promise<OwnScene> {
    return new OwnRun(loaded, memory).connect()
  }

  send(side: Side, bytes: Uint8Array | string): void {
    this.connection.send(side, typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, ++this.#time)
  }

  lose(side: Side, length: number): void {
    this.connection.lose(side, length, ++this.#time)
  }

  close(cause: End = END.fin): MessageRecorder {
    this.connection.close(++this.#time, cause)
    assert.ok(this.recorder.messages.every(({ ended }) => ended !== undefined), 'a message has no end')
    return this.recorder
  }
}
