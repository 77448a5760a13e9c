import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync,
  symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { zstdDecompressSync } from 'node:zlib'
import { FileSink, type FileSinkOptions } from './file.ts'
import { makeBatch, RecordingHost, sinkSuite } from './sink.suite.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-file-sink-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let number = 0

function options(given: Partial<FileSinkOptions> = {}): FileSinkOptions {
  return {
    path: join(folder, `${number++}`, 'exchanges.ndjson'), mode: 0o600, rotateBytes: 2 ** 40, rotateMs: 2 ** 31 - 1, keepFiles: 1000,
    keepBytes: 2 ** 40, compress: true, queueBytesMax: 8 * 1024 * 1024, ...given,
  }
}

/** Numbers of the lines; fails on a line that is not whole. */
function numbers(text: string): number[] {
  assert.ok(text === '' || text.endsWith('\n'), `ends inside a line: ${JSON.stringify(text.slice(-80))}`)
  return text.split('\n').slice(0, -1).map(line => (JSON.parse(line) as { n: number }).n)
}

function rotatedFiles(path: string): string[] {
  const dir = join(path, '..')
  return readdirSync(dir).filter(name => name !== 'exchanges.ndjson').sort().map(name => join(dir, name))
}

function readAll(path: string): number[] {
  const texts = rotatedFiles(path).map(file => {
    const bytes = readFileSync(file)
    return (file.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes).toString()
  })
  return [...texts, readFileSync(path, 'utf8')].flatMap(numbers)
}

sinkSuite('file', async host => {
  const chosen = options()
  return { sink: new FileSink(chosen, host), collect: async () => readFileSync(chosen.path, 'utf8') }
})

test('a new file is 0600 in a folder of 0700, and appended to by the next run', async () => {
  const chosen = options()
  for (const first of [0, 5]) {
    const sink = new FileSink(chosen, new RecordingHost())
    sink.write(makeBatch(first, 5))
    await sink.close()
  }
  assert.equal(statSync(chosen.path).mode & 0o777, 0o600)
  assert.equal(statSync(join(chosen.path, '..')).mode & 0o777, 0o700)
  assert.deepEqual(numbers(readFileSync(chosen.path, 'utf8')), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('rotation by size: no file over the bound, names in order of time, zstd, 0600, nothing lost', async () => {
  const chosen = options({ rotateBytes: 64 * 1024 })
  const host = new RecordingHost()
  const sink = new FileSink(chosen, host)
  for (let index = 0; index < 300; index++) {
    sink.write(makeBatch(index * 10, 10, 200))
    if (index % 7 === 0) await sink.flush()
  }
  await sink.flush()
  await sink.tidied()
  await sink.close()
  const files = rotatedFiles(chosen.path)
  assert.ok(files.length >= 8, `only ${files.length} rotated files`)
  for (const file of files) {
    assert.match(file, /exchanges-\d{8}T\d{9}Z\.ndjson\.zst$/)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.ok(zstdDecompressSync(readFileSync(file)).length <= 64 * 1024)
  }
  assert.ok(statSync(chosen.path).size <= 64 * 1024)
  assert.deepEqual(readAll(chosen.path), Array.from({ length: 3000 }, (_, index) => index))
  assert.equal(host.written, 3000)
})

test('rotation by age rotates a file that has something in it, without traffic', async () => {
  const chosen = options({ rotateMs: 150, compress: false })
  const sink = new FileSink(chosen, new RecordingHost())
  sink.write(makeBatch(0, 3))
  await sink.flush()
  while (rotatedFiles(chosen.path).length === 0) await sleep(20)
  await sleep(400)
  await sink.close()
  assert.equal(rotatedFiles(chosen.path).length, 1, 'an empty file is not rotated')
  assert.deepEqual(readAll(chosen.path), [0, 1, 2])
})

test('retention keeps the newest files by number and leaves other files alone', async () => {
  const chosen = options({ rotateBytes: 4096, keepFiles: 3, compress: false })
  const sink = new FileSink(chosen, new RecordingHost())
  const foreign = join(chosen.path, '..', 'exchanges-notes.ndjson')
  writeFileSync(foreign, 'mine')
  for (let index = 0; index < 20; index++) {
    sink.write(makeBatch(index, 1, 3000))
    await sink.flush()
  }
  await sink.tidied()
  await sink.close()
  assert.equal(readFileSync(foreign, 'utf8'), 'mine')
  unlinkSync(foreign)
  assert.deepEqual(readAll(chosen.path), [16, 17, 18, 19])
})

test('retention by bytes', async () => {
  const chosen = options({ rotateBytes: 4096, keepBytes: 7000, compress: false })
  const sink = new FileSink(chosen, new RecordingHost())
  for (let index = 0; index < 10; index++) {
    sink.write(makeBatch(index, 1, 3000))
    await sink.flush()
  }
  await sink.tidied()
  await sink.close()
  assert.deepEqual(readAll(chosen.path), [7, 8, 9])
})

test('a rotated file of a killed run is compressed by the next, its unfinished part removed', async () => {
  const chosen = options()
  mkdirSync(join(chosen.path, '..'))
  const left = join(chosen.path, '..', 'exchanges-20260101T000000000Z.ndjson')
  writeFileSync(left, '{"kind":"exchange","n":1}\n')
  writeFileSync(`${left}.zst.part`, 'half')
  const sink = new FileSink(chosen, new RecordingHost())
  await sink.tidied()
  await sink.close()
  assert.deepEqual(rotatedFiles(chosen.path), [`${left}.zst`])
  assert.deepEqual(readAll(chosen.path), [1])
})

test('an unfinished line of a killed run is removed; text of others only gets an end of line', async () => {
  const chosen = options()
  mkdirSync(join(chosen.path, '..'))
  writeFileSync(chosen.path, '{"kind":"exchange","n":0}\n{"kind":"excha')
  const host = new RecordingHost()
  const sink = new FileSink(chosen, host)
  sink.write(makeBatch(1, 1))
  await sink.close()
  assert.deepEqual(numbers(readFileSync(chosen.path, 'utf8')), [0, 1])
  assert.match(host.logs.join(), /removed 14 bytes of an unfinished line/)

  writeFileSync(chosen.path, 'notes')
  const second = new FileSink(chosen, new RecordingHost())
  second.write(makeBatch(1, 1))
  await second.close()
  assert.equal(readFileSync(chosen.path, 'utf8'), 'notes\n{"kind":"exchange","n":1}\n')
})

test('a deleted file, and one that logrotate moved away, is made anew', async () => {
  const chosen = options()
  const host = new RecordingHost()
  const sink = new FileSink(chosen, host)
  sink.write(makeBatch(0, 1))
  await sink.flush()
  unlinkSync(chosen.path)
  await sleep(1100)
  sink.write(makeBatch(1, 1))
  await sink.flush()
  assert.deepEqual(numbers(readFileSync(chosen.path, 'utf8')), [1])
  assert.match(host.logs.join(), /deleted or replaced/)
  renameSync(chosen.path, `${chosen.path}.1`)
  await sink.reload()
  sink.write(makeBatch(2, 1))
  await sink.close()
  assert.deepEqual(numbers(readFileSync(chosen.path, 'utf8')), [2])
  assert.deepEqual(numbers(readFileSync(`${chosen.path}.1`, 'utf8')), [1])
})

test('a queue that is full drops whole batches, named and counted', async () => {
  const host = new RecordingHost()
  const sink = new FileSink(options({ queueBytesMax: 1000 }), host)
  for (let index = 0; index < 100; index++) sink.write(makeBatch(index * 2, 2, 200))
  await sink.close()
  const health = sink.health()
  assert.deepEqual([...health.droppedRecords.keys()], ['queue full'])
  assert.equal(health.writtenRecords + (health.droppedRecords.get('queue full') ?? 0), 200)
  assert.ok(health.writtenRecords > 0)
  assert.equal(host.fates.length, 100)
})

test('opening says what is wrong and the mend', () => {
  const target = join(folder, 'target')
  writeFileSync(target, '')
  const link = join(folder, 'link')
  symlinkSync(target, link)
  const cases: [string, RegExp][] = [
    [link, /Cannot open ".*link" for writing: it is a symbolic link, which is not followed for safety/],
    [folder, /it is a folder; add a file name/],
    [join(target, 'x'), /a part of the path is a file|folder does not exist/],
    ['/proc/lintel/x.ndjson', /Cannot open/],
  ]
  for (const [path, message] of cases) assert.throws(() => new FileSink(options({ path }), new RecordingHost()), message)
  assert.equal(readFileSync(target, 'utf8'), '')
})

const isRoot = process.getuid?.() === 0
const needsRoot = { skip: isRoot ? false : 'mounting a small disk needs root' }

/** Runs `body` with a disk of `kibibytes`. */
async function onDisk(kibibytes: number, body: (path: string) => Promise<void>): Promise<void> {
  const mount = join(folder, `disk-${number++}`)
  mkdirSync(mount)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kibibytes}k,mode=700`, 'tmpfs', mount])
  try {
    await body(mount)
  } finally {
    execFileSync('umount', ['-l', mount])
  }
}

test('a full disk: whole lines only, named, counted; when there is room again everything that waited is written', needsRoot, async () => {
  await onDisk(64, async mount => {
    const path = join(mount, 'exchanges.ndjson')
    const host = new RecordingHost()
    const sink = new FileSink(options({ path, queueBytesMax: 256 * 1024 }), host)
    const ballast = join(mount, 'ballast')
    writeFileSync(ballast, Buffer.alloc(40 * 1024))
    // 60 KB onto a disk with 24 KB left: the last write that fits ends inside a line.
    for (let index = 0; index < 20; index++) sink.write(makeBatch(index * 10, 10, 307))
    while (sink.health().lastError === undefined) await sleep(10)
    assert.match(sink.health().lastError ?? '', /no space left on the disk; free some.*ENOSPC/)
    numbers(readFileSync(path, 'utf8'))
    for (let index = 20; index < 120; index++) sink.write(makeBatch(index * 10, 10, 307))
    assert.deepEqual([...sink.health().droppedRecords.keys()], ['disk full'])
    unlinkSync(ballast)
    execFileSync('mount', ['-o', 'remount,size=4096k', mount])
    await sink.flush()
    await sink.close()
    const health = sink.health()
    const lines = numbers(readFileSync(path, 'utf8'))
    assert.equal(lines.length, health.writtenRecords)
    assert.deepEqual(lines, Array.from({ length: lines.length }, (_, index) => index))
    assert.equal(health.writtenRecords + (health.droppedRecords.get('disk full') ?? 0), 1200)
    assert.equal(host.written, health.writtenRecords)
    assert.equal(health.lastError, undefined)
    assert.match(host.logs.join('\n'), /error: Cannot write.*trying again, the capture goes on[\s\S]*works again/)
  })
})

test('a disk that stays full: close ends in time, what was written of a batch counts, the rest is named', needsRoot, async () => {
  await onDisk(16, async mount => {
    const path = join(mount, 'exchanges.ndjson')
    const host = new RecordingHost()
    const sink = new FileSink(options({ path }), host)
    sink.write(makeBatch(0, 200, 307))
    await sink.close()
    const lines = numbers(readFileSync(path, 'utf8'))
    assert.ok(lines.length > 0 && lines.length < 200, `${lines.length} lines`)
    assert.deepEqual(host.fates.map(({ written, reason }) => ({ written, reason })), [{ written: lines.length, reason: 'disk full' }])
    assert.equal(sink.health().droppedRecords.get('disk full'), 200 - lines.length)
  })
})

test('a disk that becomes read-only and comes back', needsRoot, async () => {
  await onDisk(1024, async mount => {
    const path = join(mount, 'exchanges.ndjson')
    const host = new RecordingHost()
    const sink = new FileSink(options({ path }), host)
    sink.write(makeBatch(0, 1))
    await sink.close()
    execFileSync('mount', ['-o', 'remount,ro', mount])
    assert.throws(() => new FileSink(options({ path }), host), /mounted read-only/)
    execFileSync('mount', ['-o', 'remount,rw', mount])
  })
})

test('a folder that is taken away: records wait, and go to a new file when the path can be made again', needsRoot, async () => {
  const chosen = options({ queueBytesMax: 4 * 1024 * 1024 })
  const host = new RecordingHost()
  const sink = new FileSink(chosen, host)
  sink.write(makeBatch(0, 1))
  await sink.flush()
  const dir = join(chosen.path, '..')
  rmSync(dir, { recursive: true })
  writeFileSync(dir, 'a file in the way')
  await sleep(1100)
  sink.write(makeBatch(1, 1))
  while (sink.health().lastError === undefined) await sleep(10)
  rmSync(dir)
  await sink.flush()
  await sink.close()
  assert.deepEqual(numbers(readFileSync(chosen.path, 'utf8')), [1])
  assert.deepEqual(host.reasons, [])
})

test('a symbolic link put in place of the file is not followed', async () => {
  const chosen = options()
  const host = new RecordingHost()
  const sink = new FileSink(chosen, host)
  const victim = join(folder, 'victim')
  writeFileSync(victim, 'whole')
  chmodSync(victim, 0o600)
  unlinkSync(chosen.path)
  symlinkSync(victim, chosen.path)
  await sink.reload()
  sink.write(makeBatch(0, 1))
  while (sink.health().lastError === undefined) await sleep(10)
  assert.match(sink.health().lastError ?? '', /symbolic link/)
  unlinkSync(chosen.path)
  await sink.close()
  assert.equal(readFileSync(victim, 'utf8'), 'whole')
  assert.deepEqual(numbers(readFileSync(chosen.path, 'utf8')), [0])
})

test('a line that another program appended stays whole', async () => {
  const chosen = options()
  const sink = new FileSink(chosen, new RecordingHost())
  sink.write(makeBatch(0, 1))
  await sink.flush()
  appendFileSync(chosen.path, '{"kind":"exchange","n":7}\n')
  sink.write(makeBatch(1, 1))
  await sink.close()
  assert.deepEqual(numbers(readFileSync(chosen.path, 'utf8')), [0, 7, 1])
  assert.ok(existsSync(chosen.path))
})
