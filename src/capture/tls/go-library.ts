import { X64_ENTRY_BYTES, goFunctions, goVersion, x64GoEntryPlace, x64Returns } from '../../../lib/elf/mod.ts'
import type { ElfFile } from '../../../lib/elf/mod.ts'
import { PROBE_GO_CLOSE, PROBE_GO_END, PROBE_GO_HANDSHAKE, PROBE_GO_READ, PROBE_GO_WRITE } from '../events.gen.ts'
import type { TlsProbe, TlsVerdict } from './tls-binary.ts'

const CONN = 'crypto/tls.(*Conn).'
/** What is probed; the returns are watched but of Close. */
const FUNCTIONS: ReadonlyMap<string, number> = new Map([
  [`${CONN}Read`, PROBE_GO_READ],
  [`${CONN}Write`, PROBE_GO_WRITE],
  [`${CONN}clientHandshake`, PROBE_GO_HANDSHAKE],
  [`${CONN}serverHandshake`, PROBE_GO_HANDSHAKE],
  [`${CONN}Close`, PROBE_GO_CLOSE],
])
const NEEDED = [`${CONN}Read`, `${CONN}Write`]
const LIBRARY = 'Go crypto/tls'
/** A function that begins by looking whether its stack is large enough: CMPQ SP, 16(R14), or LEAQ -n(SP), R12 before it. */
const STACK_CHECKS = [[0x49, 0x3b, 0x66, 0x10], [0x4c, 0x8d, 0x64, 0x24], [0x4c, 0x8d, 0xa4, 0x24]]

/** What Go's own TLS in a program is; undefined when Go did not make it, or it has none. */
export function judgeGo(elf: ElfFile): TlsVerdict | undefined {
  const version = goVersion(elf)
  if (version === undefined) return undefined
  const library = `${LIBRARY} (${version})`
  const refuse = (reason: string): TlsVerdict => ({ speaks: 'unreadable', library, reason })
  if (process.arch !== 'x64') return refuse(`Go's registers are known for x86-64 only, this machine is ${process.arch}`)
  const answer = goFunctions(elf, new Set(FUNCTIONS.keys()), (code) => STACK_CHECKS.some((check) => check.every((byte, at) => code[at] === byte)))
  if ('reason' in answer) return refuse(answer.reason)
  const { functions } = answer
  // Not used by the program, so that the linker left it out.
  if (!NEEDED.some((name) => functions.has(name))) return undefined
  if (!NEEDED.every((name) => functions.has(name))) return refuse('it has one of Read and Write only')
  const probes: TlsProbe[] = []
  for (const [name, { address, length }] of functions) {
    const offset = elf.fileOffset(address)
    const code = elf.memory(address, length)
    const returns = code === undefined ? undefined : x64Returns(code)
    if (offset === undefined || code === undefined || returns === undefined || returns.length === 0) return refuse(`${name} cannot be taken apart`)
    const cookie = FUNCTIONS.get(name)!
    probes.push({ offset: offset + x64GoEntryPlace(code.subarray(0, X64_ENTRY_BYTES)), cookie, place: 'go' })
    if (cookie === PROBE_GO_CLOSE) continue
    for (const at of returns) probes.push({ offset: offset + at, cookie: PROBE_GO_END, place: 'go' })
  }
  return { speaks: 'readable', library, probes }
}
