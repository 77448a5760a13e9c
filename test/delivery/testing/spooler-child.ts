/**
 * Writes numbered records to an output with a spool, until it is killed, and says which were settled as written: `first count` a line.
 * With a count it writes so many, closes, and says what its delivery counted, as JSON.
 *
 * In: the config of the output as JSON, the first number, the count (0: until killed) as arguments.
 *
 * @module
 */
import { writeSync } from 'node:fs'
import { configSchema } from '../../../src/config.ts'
import { openSink, type SafeBatch, type SinkHost } from '../../../src/sink/mod.ts'
import { exchanges } from '../../../src/sink/exporters/exporter.suite.ts'

const [options, first, count] = [JSON.parse(process.argv[2] as string) as Record<string, unknown>, Number(process.argv[3]), Number(process.argv[4])]
const BATCHES_WAITING = 4
const BATCH_RECORDS = 10
/** So many wait for the server at most: else each life leaves thousands more than it delivers, and the last of a thousand has millions to send. */
const BACKLOG_RECORDS = 1000
const starts = new Map<SafeBatch, number>()
let next = first

const host: SinkHost = {
  settled(batch, written) {
    const start = starts.get(batch) as number
    starts.delete(batch)
    // At once and as one call: what is told was settled, and nothing told is lost with this process.
    if (written === batch.count) writeSync(1, `${start} ${batch.count}\n`)
    setImmediate(more)
  },
  ended() {},
  log(_level, message) { writeSync(2, `${message}\n`) },
}

const [checked] = configSchema.shape.outputs.parse([options])
const sink = openSink(checked as NonNullable<typeof checked>, host)

function more(): void {
  if (count === 0 && (sink.health().delivery?.waitingRecords ?? 0) >= BACKLOG_RECORDS) setTimeout(more, 1)
  else fill()
}

function fill(): void {
  while (starts.size < BATCHES_WAITING && (count === 0 || next < first + count)) {
    const batch = exchanges(next, BATCH_RECORDS)
    starts.set(batch, next)
    next += BATCH_RECORDS
    sink.write(batch)
  }
}

more()
if (count > 0) {
  while (starts.size > 0) await sink.flush()
  await sink.close()
  const { delivery } = sink.health()
  writeSync(1, `${JSON.stringify({ ...delivery, dropped: [...delivery?.dropped ?? []] })}\n`)
}
