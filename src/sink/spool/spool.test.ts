import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { Spool, type SpoolBatch, type SpoolOptions } from './mod.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-spool-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let number = 0

function place(more: Partial<SpoolOptions> = {}): SpoolOptions {
  return { folder: join(folder, `${number++}`, 'spool'), bytesMax: 1024 * 1024, segmentBytes: 64 * 1024, ...more }
}

function open(options: SpoolOptions, logs: string[] = []): Spool {
  return new Spool(options, (level, message) => { logs.push(`${level}: ${message}`) })
}

/** Numbered lines, each some bytes long. */
function lines(first: number, count: number, bytes = 40): Uint8Array {
  return Buffer.from(Array.from({ length: count }, (_, index) => `${`{"n":${first + index},"pad":"`.padEnd(bytes - 3, 'x')}"}\n`).join(''))
}

function numbersOf(batch: SpoolBatch | undefined): number[] {
  return batch?.records.map(({ line }) => (JSON.parse(line.toString()) as { n: number }).n) ?? []
}

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}

/** Everything that waits, acknowledged. */
async function drain(spool: Spool): Promise<number[]> {
  const found: number[] = []
  for (let batch = await spool.next(100, 1e6); batch !== undefined; batch = await spool.next(100, 1e6)) {
    found.push(...numbersOf(batch))
    spool.acknowledge(batch)
  }
  return found
}

function assertAddsUp(spool: Spool): void {
  const { spooled, found, through, dropped, waitingRecords } = spool.figures()
  assert.equal(spooled + found, through + [...dropped.values()].reduce((sum, count) => sum + count, 0) + waitingRecords)
}

/** Changes bytes of a file in place. */
function spoil(path: string, offset: number, text: string): void {
  const fd = openSync(path, 'r+')
  writeSync(fd, text, offset)
  closeSync(fd)
}

test('what is appended comes out in order, by count and by bytes, and the files of what is through are gone', async () => {
  const options = place({ segmentBytes: 2000 })
  const spool = open(options)
  for (let index = 0; index < 20; index++) await spool.append([lines(index * 10, 6), lines(index * 10 + 6, 4)], 10)
  const first = await spool.next(7, 1e6)
  assert.deepEqual(numbersOf(first), range(0, 7))
  spool.acknowledge(first as SpoolBatch)
  const second = await spool.next(100, 100)
  assert.deepEqual(numbersOf(second), [7, 8], 'two lines of 40 bytes fit into 100')
  spool.acknowledge(second as SpoolBatch)
  assert.deepEqual(await drain(spool), range(9, 191))
  assert.equal(await spool.next(1, 1), undefined)
  assert.deepEqual(spool.figures(), { spooled: 200, found: 0, through: 200, dropped: new Map(), waitingRecords: 0, waitingBytes: 0 })
  spool.close()
  assert.deepEqual(readdirSync(options.folder).sort(), ['lock', 'position'])
})

test('files are for their owner only', async () => {
  const options = place()
  const spool = open(options)
  await spool.append([lines(0, 1)], 1)
  assert.equal(statSync(options.folder).mode & 0o777, 0o700)
  for (const name of readdirSync(options.folder)) assert.equal(statSync(join(options.folder, name)).mode & 0o777, 0o600, name)
  spool.close()
})

test('a record keeps its id over sendings, and no two share one', async () => {
  const options = place({ segmentBytes: 1000 })
  const spool = open(options)
  for (let index = 0; index < 10; index++) await spool.append([lines(index * 10, 10)], 10)
  const before = await spool.next(5, 1e6)
  spool.close()
  const again = open(options)
  const after = await again.next(5, 1e6)
  assert.deepEqual(after?.records.map(({ id }) => id), before?.records.map(({ id }) => id))
  again.acknowledge(after as SpoolBatch)
  const ids = new Set(after?.records.map(({ id }) => id))
  for (let batch = await again.next(7, 1e6); batch !== undefined; batch = await again.next(7, 1e6)) {
    for (const { id } of batch.records) ids.add(id)
    again.acknowledge(batch)
  }
  assert.equal(ids.size, 100)
  again.close()
})

test('one process at a time', () => {
  const options = place()
  const spool = open(options)
  assert.throws(() => open(options), /Cannot open the spool ".*": another Lintel writes to it; give each its own folder/)
  spool.close()
  open(options).close()
})

test('at the bound the oldest go first, counted; what is under way can still come through', async () => {
  const logs: string[] = []
  const spool = open(place({ bytesMax: 10_000, segmentBytes: 1000 }), logs)
  await spool.append([lines(0, 20)], 20)
  const held = await spool.next(5, 1e6)
  for (let index = 1; index < 50; index++) await spool.append([lines(index * 20, 20)], 20)
  assertAddsUp(spool)
  const full = spool.figures()
  assert.ok(full.waitingBytes <= 10_000, `${full.waitingBytes}`)
  assert.equal(logs.length, 1)
  assert.match(logs[0] as string, /error: the spool ".*" is full: the oldest \d+ records were dropped to make room/)
  spool.acknowledge(held as SpoolBatch)
  assertAddsUp(spool)
  const left = await drain(spool)
  assert.deepEqual(left, range(1000 - left.length, left.length), 'the newest, without holes')
  assert.ok(left.length > 150)
  const { through, dropped } = spool.figures()
  assert.equal(through, 5 + left.length)
  assert.deepEqual([...dropped], [['spool full', 1000 - left.length - 5]])
  spool.close()
})

test('a segment that goes while it is read is neither lost twice nor given out', async () => {
  const spool = open(place({ bytesMax: 3000, segmentBytes: 1000 }))
  for (let index = 0; index < 3; index++) await spool.append([lines(index * 20, 20)], 20)
  const reading = spool.next(1000, 1e6)
  for (let index = 3; index < 9; index++) await spool.append([lines(index * 20, 20)], 20)
  const batch = await reading
  if (batch !== undefined) spool.acknowledge(batch)
  assertAddsUp(spool)
  await drain(spool)
  assertAddsUp(spool)
  assert.equal(spool.figures().waitingRecords, 0)
  spool.close()
})

test('damaged lines, a damaged seal and a cut end cost what they hold, counted, and nothing else', async () => {
  const options = place({ segmentBytes: 100_000 })
  const before = open(options)
  for (let index = 0; index < 6; index++) await before.append([lines(index * 10, 10)], 10)
  before.close()
  const path = join(options.folder, readdirSync(options.folder).find(name => name.startsWith('spool-')) as string)
  const text = readFileSync(path, 'latin1')
  spoil(path, text.indexOf('"n":13'), '"n":99') // in the second piece
  const seals = [...text.matchAll(/\{"journal"/g)].map(match => match.index)
  spoil(path, seals[3] as number, '????') // of the fourth
  truncateSync(path, text.length - 20) // the last seal
  const logs: string[] = []
  const spool = open(options, logs)
  assert.deepEqual(await drain(spool), [...range(0, 10), ...range(20, 10), ...range(40, 10)])
  assert.deepEqual([...spool.figures().dropped], [['spool damaged', 20]])
  assertAddsUp(spool)
  assert.equal(logs.filter(line => /error: .* is damaged: \d+ bytes of it, 10 records, are not as they were written/.test(line)).length, 2, logs.join('\n'))
  assert.ok(logs.some(line => /warn: left out \d+ bytes at the end of .*: an earlier run was killed while it wrote/.test(line)), logs.join('\n'))
  spool.close()
})

test('damage to what this run has written costs what it holds, counted, and nothing else', async () => {
  const options = place({ segmentBytes: 100_000 })
  const spool = open(options, [])
  for (let index = 0; index < 6; index++) await spool.append([lines(index * 10, 10)], 10)
  const path = join(options.folder, readdirSync(options.folder).find(name => name.startsWith('spool-')) as string)
  const text = readFileSync(path, 'latin1')
  spoil(path, text.indexOf('"n":13'), '"n":99') // in the second piece
  spoil(path, [...text.matchAll(/\{"journal"/g)][3]?.index as number, '????') // the seal of the fourth
  assert.deepEqual(await drain(spool), [...range(0, 10), ...range(20, 10), ...range(40, 20)])
  assert.deepEqual([...spool.figures().dropped], [['spool damaged', 20]])
  assertAddsUp(spool)
  spool.close()
})

test('a segment that somebody removed is counted', async () => {
  const options = place({ segmentBytes: 500 })
  const spool = open(options)
  for (let index = 0; index < 3; index++) await spool.append([lines(index * 10, 10)], 10)
  rmSync(join(options.folder, readdirSync(options.folder).filter(name => name.startsWith('spool-')).sort()[0] as string))
  assert.deepEqual(await drain(spool), range(10, 20))
  assert.deepEqual([...spool.figures().dropped], [['spool damaged', 10]])
  spool.close()
})

test('a position that is lost or damaged sends again and says so; half a position does not count', async () => {
  const options = place()
  const first = open(options)
  await first.append([lines(0, 30)], 30)
  for (const records of [10, 5]) first.acknowledge(await first.next(records, 1e6) as SpoolBatch)
  first.close()
  const path = join(options.folder, 'position')
  const slots = readFileSync(path)
  const newer = slots.toString().indexOf('"offset":600') // 15 lines of 40 bytes
  assert.ok(newer > 0)
  spoil(path, newer, '"offset":900')
  const second = open(options)
  assert.deepEqual(numbersOf(await second.next(1, 1e6)), [10], 'the slot before counts')
  second.close()
  writeFileSync(path, Buffer.alloc(256, 'x'))
  const logs: string[] = []
  const third = open(options, logs)
  assert.deepEqual(numbersOf(await third.next(1, 1e6)), [0])
  assert.match(logs.join(), /its position file is damaged; all it holds is sent again/)
  third.close()
})

test('whatever comes, in any order: nothing is lost or doubled but what the bound costs, and the figures add up', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('append' as const), count: fc.integer({ min: 1, max: 30 }), bytes: fc.integer({ min: 20, max: 200 }) }),
    fc.record({ do: fc.constant('deliver' as const), count: fc.integer({ min: 1, max: 50 }), bytes: fc.integer({ min: 1, max: 4000 }) }),
    fc.record({ do: fc.constant('reopen' as const), count: fc.constant(0), bytes: fc.constant(0) }),
  )
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 400, max: 20_000 }), async (steps, segmentBytes) => {
    const options = place({ segmentBytes, bytesMax: 20_000 })
    let [spool, next, last, dropped] = [open(options), 0, -1, 0]
    const close = (): void => {
      assertAddsUp(spool)
      dropped += [...spool.figures().dropped.values()].reduce((sum, count) => sum + count, 0)
      spool.close()
    }
    let delivered = 0
    for (const { do: what, count, bytes } of [...steps, { do: 'reopen' as const, count: 0, bytes: 0 }]) {
      if (what === 'append') await spool.append([lines(next, count, bytes)], count).then(() => { next += count })
      else if (what === 'reopen') {
        close()
        spool = open(options)
      } else {
        const batch = await spool.next(count, bytes)
        for (const value of numbersOf(batch)) {
          assert.ok(value > last, `${value} behind ${last}`)
          last = value
          delivered++
        }
        if (batch !== undefined) spool.acknowledge(batch)
      }
    }
    const rest = await drain(spool)
    delivered += rest.length
    assert.ok(rest.every((value, index) => value > (rest[index - 1] ?? last)))
    close()
    assert.equal(delivered + dropped, next)
  }), { numRuns: 60 })
})
