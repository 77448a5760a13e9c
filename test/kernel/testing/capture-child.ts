/**
 * A KernelSource in a process of its own, so that a test can put it into a network namespace or kill it.
 *
 * In    argv[2]: options as JSON (without memory); stdin: one JSON command a line: {"filters": ...} or {"stop": true}.
 * Out   stdout: one JSON line when attached, one for each attachment change, one for each command, the last with all
 *       records and the counters.
 */
import { createInterface } from 'node:readline'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { ByteMemory } from '../../../lib/bytes/mod.ts'
import { EVENT_PROCESS } from '../../../src/capture/events.gen.ts'
import { KernelSource } from '../../../src/capture/kernel/mod.ts'
import type { KernelFilters, KernelOptions } from '../../../src/capture/kernel/mod.ts'
import { recordsOf } from './records.ts'
import type { PacketRecord } from './records.ts'

const ROOM_BYTES = 1 << 22

function say(value: unknown): void {
  const text = JSON.stringify(value, (_key, each: unknown) => typeof each === 'bigint' ? String(each) : each)
  process.stdout.write(`${text}\n`)
}

async function main(): Promise<void> {
  const memory = new ByteMemory()
  const pointer = memory.reserve(ROOM_BYTES)
  const options = JSON.parse(process.argv[2] ?? '{}') as Omit<KernelOptions, 'memory'>
  const source = new KernelSource({ ...options, memory, onAttachmentChange: (change) => say({ change }) })
  const commands: { filters?: KernelFilters; stop?: boolean }[] = []
  const input = createInterface({ input: process.stdin })
  input.on('line', (line) => commands.push(JSON.parse(line) as { filters?: KernelFilters; stop?: boolean }))
  say({
    ready: true, attachments: source.attachments(), refusals: source.refusals(), seesBothDirections: source.seesBothDirections,
    epoch: source.epochNanoseconds(), programs: source.costs().map((program) => program.id),
  })
  const records: (Omit<PacketRecord, 'data'> & { data: string })[] = []
  const drain = (): void => {
    for (let length = source.fill(pointer, ROOM_BYTES); length > 0; length = source.fill(pointer, ROOM_BYTES)) {
      for (const record of recordsOf(memory.u8.subarray(pointer, pointer + length))) {
        if (record.kind === EVENT_PROCESS) continue // no packet
        records.push({ ...record, data: record.data.toString('latin1') })
      }
    }
  }
  for (;;) {
    source.wait(20)
    drain()
    await nextTurn()
    const command = commands.shift()
    if (command?.filters !== undefined) {
      source.setFilters(command.filters)
      say({ filtered: true })
    }
    if (command?.stop === true) break
  }
  source.detach()
  drain()
  say({
    records, counters: { ...source.counters(), notWanted: [...source.counters().notWanted], lost: [...source.counters().lost] },
    names: Object.fromEntries(records.map((record) => [record.interface, source.interfaceName(record.interface)])),
  })
  source.close()
  input.close()
}

await main()
