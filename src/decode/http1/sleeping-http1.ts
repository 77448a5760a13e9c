import { RowTable } from '../../../lib/bytes/mod.ts'
import type { End, Gap, Side, StreamControl, StreamHandler, Turns } from '../../connection/mod.ts'
import type { MessageSink } from '../message.ts'
import type { Http1Connection } from './http1-connection.ts'
import { REST_BYTES } from './rest-row.ts'

/** Connections whose parts wait for the next one. */
const SPARE_MAX = 1024

/**
 * Connections that sleep: each is a row (rest-row.ts), and its parts serve others, as do those of connections that are over. What
 * comes out is the same.
 *
 * Bound: a row for each connection of the table; SPARE_MAX parts.
 */
export class Http1Dormitory {
  readonly #make: (control: StreamControl, sink: MessageSink) => Http1Connection
  readonly #rows = new RowTable(REST_BYTES)
  readonly #spare: Http1Connection[] = []

  constructor(make: (control: StreamControl, sink: MessageSink) => Http1Connection) {
    this.#make = make
  }

  /** Connections that sleep. */
  get size(): number {
    return this.#rows.size
  }

  /** A new connection, of parts that are free. */
  open(control: StreamControl, sink: MessageSink): Http1Connection {
    const connection = this.#spare.pop()
    if (connection === undefined) return this.#make(control, sink)
    connection.renew(control, sink)
    return connection
  }

  /** Of a connection that is quiet. @returns what takes its place */
  put(connection: Http1Connection, control: StreamControl, sink: MessageSink): StreamHandler {
    const row = this.#rows.take()
    const at = this.#rows.seek(row)
    connection.save(this.#rows.view, at)
    if (this.#spare.length < SPARE_MAX) this.#spare.push(connection)
    return new SleepingHttp1(this, control, sink, row)
  }

  /** Of one that is over: nothing calls it any more. */
  give(connection: Http1Connection): void {
    if (this.#spare.length < SPARE_MAX) this.#spare.push(connection)
  }

  /** @internal The connection of a row, which is given back. */
  take(control: StreamControl, sink: MessageSink, row: number): Http1Connection {
    const connection = this.open(control, sink)
    const at = this.#rows.seek(row)
    connection.load(control, sink, this.#rows.view, at)
    this.#rows.give(row)
    return connection
  }
}

/** In place of a connection that sleeps. */
class SleepingHttp1 implements StreamHandler {
  readonly #dormitory: Http1Dormitory
  readonly #control: StreamControl
  readonly #sink: MessageSink
  readonly #row: number
  #awake: Http1Connection | undefined

  constructor(dormitory: Http1Dormitory, control: StreamControl, sink: MessageSink, row: number) {
    this.#dormitory = dormitory
    this.#control = control
    this.#sink = sink
    this.#row = row
  }

  get #connection(): Http1Connection {
    if (this.#awake === undefined) {
      this.#awake = this.#dormitory.take(this.#control, this.#sink, this.#row)
      this.#control.giveWay?.(this.#awake)
    }
    return this.#awake
  }

  data(side: Side, pointer: number, length: number, time: number): void {
    this.#connection.data(side, pointer, length, time)
  }

  gap(side: Side, length: number, cause: Gap, time: number): void {
    this.#connection.gap(side, length, cause, time)
  }

  skipped(side: Side, time: number): void {
    this.#connection.skipped(side, time)
  }

  end(side: Side, cause: End, time: number): void {
    this.#connection.end(side, cause, time)
  }

  rest(): number {
    return this.#connection.rest()
  }

  passed(turns: Turns): void {
    this.#connection.passed(turns)
  }
}
