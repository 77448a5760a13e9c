import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../lib/bytes/mod.ts'
import { FactsTable, FieldTable, RecordView, RecordWriter } from '../../lib/record/mod.ts'
import * as L from '../../wasm/layout.ts'
import {
  EVENT_PROCESS, PACKET_EVENT, PROCESS_ARGUMENTS_CUT, PROCESS_ARGUMENTS_MISSING, PROCESS_CGROUP_CUT, PROCESS_EXECUTABLE_CUT,
  PROCESS_INFO, PROCESS_PATH_MAX,
} from '../capture/mod.ts'
import { fieldId, FIELDS, MARK_REASONS } from './fields.ts'
import { ProcessTable } from './process-table.ts'
import type { ContainerQuestion } from './process-table.ts'

const ID = 'a'.repeat(64)
const PROCESSES_MAX = 4096

class Fixture {
  readonly memory = new ByteMemory()
  readonly #fields = new FieldTable(this.memory, FIELDS, MARK_REASONS)
  readonly #view = new RecordView(this.memory, this.#fields)
  readonly facts = new FactsTable({ memory: this.memory, writer: new RecordWriter(this.memory, this.#fields), protect: (raw) => raw, countMax: 100_000 })
  readonly asked: ContainerQuestion[] = []
  readonly table = new ProcessTable(this.memory, this.facts, (question) => { this.asked.push(question) })
  readonly #event = this.memory.reserve(PACKET_EVENT.bytes + PROCESS_INFO.bytes + 4096)
  readonly block = this.memory.reserve(L.CONNECTION_BYTES)

  /** @returns bytes of the event */
  write(process: number, { pid = 4711, executable = '/usr/sbin/nginx', args = 'nginx', cgroup = '/', flags = 0 } = {}): number {
    const { memory } = this
    const at = this.#event + PACKET_EVENT.bytes
    memory.u8.fill(0, this.#event, at + PROCESS_INFO.bytes)
    memory.u8[this.#event + PACKET_EVENT.kind] = EVENT_PROCESS
    memory.u16[(this.#event + PACKET_EVENT.data_offset) >>> 1] = PACKET_EVENT.bytes
    const { view } = memory
    view.setUint32(at + PROCESS_INFO.process, process, true)
    view.setUint32(at + PROCESS_INFO.pid, pid, true)
    view.setUint32(at + PROCESS_INFO.flags, flags, true)
    view.setUint32(at + PROCESS_INFO.arguments_length, args.length, true)
    view.setUint16(at + PROCESS_INFO.executable_at, PROCESS_PATH_MAX - executable.length, true)
    view.setUint16(at + PROCESS_INFO.cgroup_at, PROCESS_PATH_MAX - cgroup.length, true)
    memory.write(at + PROCESS_INFO.name, Buffer.from('nginx'))
    memory.write(at + PROCESS_INFO.executable + PROCESS_PATH_MAX - executable.length, Buffer.from(executable))
    memory.write(at + PROCESS_INFO.cgroup + PROCESS_PATH_MAX - cgroup.length, Buffer.from(cgroup))
    memory.write(at + PROCESS_INFO.bytes, Buffer.from(args))
    return PACKET_EVENT.bytes + PROCESS_INFO.bytes + args.length
  }

  tell(process: number, what: Parameters<Fixture['write']>[1] = {}, bytesLess = 0): void {
    this.table.add(this.#event, this.write(process, what) - bytesLess)
  }

  /** What a record of a connection between these two shows. */
  shown(client: number, server: number): (name: string) => unknown {
    const side = this.block + L.CONNECTION_SIDE + L.SIDE_PROCESS
    this.memory.u8[this.block + L.CONNECTION_CLIENT] = 1
    this.memory.u32[(side + L.CONNECTION_SIDE_BYTES) >>> 2] = client
    this.memory.u32[side >>> 2] = server
    this.table.attach(this.block)
    return (name) => {
      const role = name.startsWith('client.') ? L.FACTS_CLIENT_PROCESS : L.FACTS_SERVER_PROCESS
      const facts = this.memory.u32[(this.block + L.CONNECTION_FACTS + role) >>> 2]!
      return facts === 0 ? undefined : this.#view.at(facts + L.FACTS_RAW).get(fieldId(name))
    }
  }

  oddities(): Record<string, number> {
    return Object.fromEntries([...this.table.oddities()].filter(([, count]) => count > 0))
  }
}

test('each end shows its own process; a side whose sender changes shows the new one', () => {
  const fixture = new Fixture()
  fixture.tell(1, { pid: 10, executable: '/usr/bin/curl', args: 'curl\0-s\0http://a/\0\0' })
  fixture.tell(2, { pid: 20 })
  fixture.tell(3, { pid: 30 })
  const first = fixture.shown(1, 2)
  assert.equal(first('client.process.pid'), 10)
  assert.equal(first('client.process.executable.path'), '/usr/bin/curl')
  assert.equal(first('client.process.executable.name'), 'curl')
  assert.equal(first('client.process.command_line'), 'curl\0-s\0http://a/')
  assert.equal(first('server.process.pid'), 20)
  assert.equal(fixture.shown(1, 3)('server.process.pid'), 30)
})

test('a process that was never told, or went for want of room, is left out and counted', () => {
  const fixture = new Fixture()
  for (let process = 1; process <= PROCESSES_MAX + 1; process++) fixture.tell(process)
  assert.equal(fixture.table.size, PROCESSES_MAX)
  const shown = fixture.shown(1, PROCESSES_MAX + 1)
  assert.equal(shown('client.process.pid'), undefined)
  assert.equal(shown('server.process.pid'), 4711)
  assert.deepEqual(fixture.oddities(), { process_evicted: 1, process_forgotten: 1 })
})

test('processes that records show outlive a flood of those that none shows', () => {
  const fixture = new Fixture()
  fixture.tell(1)
  fixture.tell(2)
  for (let process = 3; process <= 3 * PROCESSES_MAX; process++) {
    fixture.tell(process)
    if (process % 1000 === 0) assert.equal(fixture.shown(1, 2)('server.process.pid'), 4711)
  }
  assert.equal(fixture.table.size, PROCESSES_MAX)
  assert.equal(fixture.table.hasMissed(), false)
  fixture.shown(3, 2)
  assert.equal(fixture.table.hasMissed(), true)
  assert.equal(fixture.table.hasMissed(), false)
})

test('arguments that were longer than the bound end in an ellipsis', () => {
  const fixture = new Fixture()
  fixture.tell(1, { args: 'node\0app.js', flags: PROCESS_ARGUMENTS_CUT })
  assert.equal(fixture.shown(1, 0)('client.process.command_line'), 'node\0app.js\0…')
})

test('a path whose beginning is missing, and arguments that could not be read, are left out', () => {
  const fixture = new Fixture()
  fixture.tell(1, { flags: PROCESS_EXECUTABLE_CUT | PROCESS_ARGUMENTS_MISSING | PROCESS_CGROUP_CUT })
  const shown = fixture.shown(1, 0)
  assert.equal(shown('client.process.executable.path'), undefined)
  assert.equal(shown('client.process.command_line'), undefined)
  assert.equal(shown('client.process.linux.cgroup'), undefined)
  assert.equal(shown('client.process.executable.name'), 'nginx')
})

test('a container\'s names are asked for once, and shown when they come', () => {
  const fixture = new Fixture()
  const cgroup = `/system.slice/docker-${ID}.scope`
  fixture.tell(1, { cgroup })
  fixture.tell(2, { cgroup })
  assert.deepEqual(fixture.asked, [{ containerId: ID }])
  assert.equal(fixture.shown(1, 2)('server.container.id'), ID)
  assert.equal(fixture.shown(1, 2)('server.container.image.name'), undefined)
  fixture.table.nameContainer(ID, { image: 'nginx:1.27', name: 'shop' })
  assert.equal(fixture.shown(1, 2)('server.container.image.name'), 'nginx:1.27')
  assert.equal(fixture.shown(1, 2)('client.container.name'), 'shop')
  fixture.table.nameContainer('never asked', { image: 'x' })
})

test('an event that is cut, or whose lengths are wrong, is counted and tells nothing', () => {
  const fixture = new Fixture()
  fixture.tell(1, {}, 1)
  fixture.tell(1, { args: '' }, 8)
  assert.equal(fixture.table.size, 0)
  assert.deepEqual(fixture.oddities(), { process_event_malformed: 2 })
})

test('nothing is held when the table and the connection are closed', () => {
  const fixture = new Fixture()
  const before = fixture.memory.allocator.allocatedBytes()
  fixture.tell(1)
  fixture.tell(2)
  fixture.shown(1, 2)
  fixture.table.close()
  assert.equal(fixture.facts.size, 2)
  fixture.facts.releaseSlots(fixture.block + L.CONNECTION_FACTS, L.CONNECTION_FACTS_COUNT)
  assert.equal(fixture.facts.size, 0)
  assert.equal(fixture.memory.allocator.allocatedBytes(), before)
})
