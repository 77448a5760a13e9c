/** Lines of NDJSON to documents in the names of ECS, by the table in ecs.ts, from bytes to bytes. */
import { MemberPicker, type Piece } from '../../../lib/record/mod.ts'
import { ownLineArea } from '../own-line-area.ts'
import { ECS_VERSION, ecsDocument, ENDS, TABLE, type TextChange } from './ecs.ts'
import { isIpText } from './ip-text.ts'

/** A member of the document. */
interface Output {
  /** Words of its name. */
  readonly keys: readonly string[]
  /** The picked member that it comes of. */
  readonly slot: number
  readonly change?: TextChange | 'ip' | 'http version' | undefined
}

const NAME_SLOT = TABLE.findIndex(({ from }) => from === 'network.protocol.name')
const VERSION_SLOT = TABLE.length
const PICKED = [...TABLE.map(({ from }) => ({ name: from })), { name: 'network.protocol.version', stays: true }]

/** The first is what every document begins with; its group stays open for what else comes into it. */
const OUTPUTS: readonly Output[] = inTreeOrder([
  { keys: ['event', 'module'], slot: -1 },
  ...TABLE.map(({ to, change }, slot) => ({ keys: to.split('.'), slot, change })),
  ...ENDS.map(end => ({ keys: [end, 'ip'], slot: TABLE.findIndex(({ from }) => from === `${end}.address`), change: 'ip' as const })),
  { keys: ['http', 'version'], slot: VERSION_SLOT, change: 'http version' },
])
const R = 0x72
const ID_BYTES_MAX = 64
const HTTP = '"http"'

/**
 * Writes documents: ecsDocument's, but with all texts and numbers as they stand in the line. From `clear` to `take` nothing is to be
 * waited for: all writers of a thread put their documents together in one place.
 */
export class EcsWriter {
  readonly #area = ownLineArea()
  readonly #picker = new MemberPicker(this.#area, PICKED)
  /** Per pair of members that stand one behind the other: what is between their values. Made when it is first needed. */
  readonly #joints: (Piece | undefined)[] = Array.from({ length: OUTPUTS.length * OUTPUTS.length }, () => undefined)
  readonly #action: Piece
  readonly #actionEnd = this.#area.text('"}}\n')
  readonly #ecs = this.#area.text(`{"ecs":{"version":"${ECS_VERSION}"},"event":{"id":"`)
  readonly #event = this.#area.text('","kind":"event","module":"lintel"')
  readonly #closes = Array.from({ length: 8 }, (_, count) => this.#area.text('}'.repeat(count)))
  readonly #rest = this.#area.text(',"lintel":')
  readonly #end = this.#area.text('}\n')
  readonly #dataset = this.#area.text('"lintel.')
  readonly #ingress = this.#area.text('"ingress"')
  readonly #egress = this.#area.text('"egress"')
  readonly #id = this.#area.memory.reserve(ID_BYTES_MAX + 32)
  readonly #number = this.#area.memory.reserve(64)

  /** @param action JSON that stands before each document, up to its id */
  constructor(action: string) {
    this.#action = this.#area.text(action)
  }

  /** Adds a line with the action and one with the document. @param id of ASCII, for both; 64 characters at most */
  add(line: Buffer, id: string): void {
    if (id.length > ID_BYTES_MAX || !this.#picker.pick(line)) return this.#addPlainly(line, id)
    const area = this.#area
    for (let at = 0; at < id.length; at++) area.memory.u8[this.#id + at] = id.charCodeAt(at)
    this.#put(this.#action)
    area.add(this.#id, id.length)
    this.#put(this.#actionEnd)
    this.#put(this.#ecs)
    area.add(this.#id, id.length)
    this.#put(this.#event)
    const before = this.#addMembers()
    this.#put(this.#closes[(OUTPUTS[before] as Output).keys.length - 1] as Piece)
    if (this.#picker.restLength > 0) {
      this.#put(this.#rest)
      area.add(area.rest, this.#picker.restLength)
    }
    this.#put(this.#end)
    area.join()
  }

  /** Forgets what was added and not taken. */
  clear(): void {
    this.#area.clear()
  }

  /** All lines that were added since the last time. */
  take(): Buffer {
    return this.#area.take()
  }

  /** @returns which was the last */
  #addMembers(): number {
    const picker = this.#picker
    let before = 0
    for (let index = 1; index < OUTPUTS.length; index++) {
      const { slot, change } = OUTPUTS[index] as Output
      if (!picker.has(slot)) continue
      const [start, end] = [picker.start(slot), picker.end(slot)]
      if (change === 'ip' && !isIpText(this.#area.memory.u8, start, end)) continue
      if (change === 'http version' && !this.#isHttp()) continue
      this.#put(this.#joint(before, index))
      this.#addValue(start, end, change)
      before = index
    }
    return before
  }

  #addValue(start: number, end: number, change: Output['change']): void {
    const area = this.#area
    switch (change) {
      case 'nanoseconds': {
        const digits = String(Math.round(Number(area.utf8(start, end - start)) * 1e9))
        for (let at = 0; at < digits.length; at++) area.memory.u8[this.#number + at] = digits.charCodeAt(at)
        return area.add(this.#number, digits.length)
      }
      case 'dataset':
        this.#put(this.#dataset)
        return area.add(start + 1, end - start - 1)
      case 'direction':
        return this.#put(area.memory.u8[start + 1] === R ? this.#ingress : this.#egress) // receive or transmit
      default:
        return area.add(start, end - start)
    }
  }

  #isHttp(): boolean {
    const { u8 } = this.#area.memory
    if (!this.#picker.has(NAME_SLOT)) return false
    const start = this.#picker.start(NAME_SLOT)
    if (this.#picker.end(NAME_SLOT) - start !== HTTP.length) return false
    for (let at = 0; at < HTTP.length; at++) if (u8[start + at] !== HTTP.charCodeAt(at)) return false
    return true
  }

  #put({ pointer, length }: Piece): void {
    this.#area.add(pointer, length)
  }

  /** For a line that is not in the encoder's form. */
  #addPlainly(line: Buffer, id: string): void {
    const document = JSON.stringify(ecsDocument(JSON.parse(line.toString()) as Record<string, unknown>, id))
    const { pointer, length } = this.#action
    this.#area.append(Buffer.from(`${this.#area.memory.latin1(pointer, length)}${id}"}}\n${document}\n`))
  }

  #joint(before: number, index: number): Piece {
    const keys = (at: number): readonly string[] => (OUTPUTS[at] as Output).keys
    return this.#joints[before * OUTPUTS.length + index] ??= this.#area.text(jointOf(keys(before), keys(index)))
  }
}

/** Closes the groups that are only the one's, and opens those that are only the other's. */
function jointOf(from: readonly string[], to: readonly string[]): string {
  const groups = (keys: readonly string[]): readonly string[] => keys.slice(0, -1)
  const differs = groups(to).findIndex((key, level) => key !== groups(from)[level])
  const common = differs === -1 ? to.length - 1 : differs
  const opened = groups(to).slice(common).map(key => `"${key}":{`).join('')
  return `${'}'.repeat(from.length - 1 - common)},${opened}"${to.at(-1) as string}":`
}

/** Members of one group stand together, at the place of the first. */
function inTreeOrder(outputs: readonly Output[], level = 0): readonly Output[] {
  const groups = new Map<string, Output[]>()
  for (const output of outputs) {
    const key = output.keys[level] as string
    groups.set(key, [...groups.get(key) ?? [], output])
  }
  return [...groups.values()].flatMap(group => group.length === 1 ? group : inTreeOrder(group, level + 1))
}
