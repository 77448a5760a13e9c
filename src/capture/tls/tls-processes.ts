import { readFileSync, readlinkSync } from 'node:fs'
import { codeMappings, processIds } from './process-maps.ts'
import { judgeBinary } from './tls-binary.ts'
import type { TlsVerdict } from './tls-binary.ts'
import { tlsTraces } from './tls-traces.ts'

/** A process that speaks TLS, by one of the files it has mapped. */
export interface TlsProcess {
  readonly processId: number
  /** comm. */
  readonly name: string
  /** Its executable, as it sees it; empty when that is hidden. */
  readonly executable: string
  /** The program or library with TLS in it. */
  readonly path: string
  /** Name, and version where the file says it. */
  readonly library: string
  readonly isReadable: boolean
  /** Why it is not read; else how its sockets are known. */
  readonly reason: string
}

/** Libraries that speak TLS and are not read, by the name of their file. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/^libssl3\.so/, 'NSS'],
  [/^libmbedtls\.so/, 'Mbed TLS'],
  [/^libwolfssl\.so/, 'wolfSSL'],
  [/^librustls.*\.so/, 'rustls'],
  [/^libs2n\.so/, 's2n'],
  [/^libjvm\.so/, 'Java'],
]

/**
 * Every process that speaks TLS as far as its mapped code says.
 *
 * @param wants False = the configuration leaves the file at this path alone
 */
export function tlsProcesses(wants: (path: string) => boolean): TlsProcess[] {
  const verdicts = new Map<string, TlsVerdict>()
  const found: TlsProcess[] = []
  for (const processId of processIds()) {
    for (const { file, path, openPath } of codeMappings(processId)) {
      const verdict = verdicts.get(file) ?? judge(openPath, path)
      verdicts.set(file, verdict)
      if (verdict.speaks === 'no') continue
      const wanted = wants(path)
      found.push({
        processId,
        name: textOf(() => readFileSync(`/proc/${processId}/comm`, 'utf8').trim()),
        executable: textOf(() => readlinkSync(`/proc/${processId}/exe`)),
        path,
        library: verdict.library,
        isReadable: verdict.speaks === 'readable' && wanted,
        reason: verdict.speaks === 'unreadable' ? verdict.reason : wanted ? '' : 'left out by the configuration',
      })
    }
  }
  return found
}

function judge(openPath: string, path: string): TlsVerdict {
  const verdict = judgeBinary(openPath)
  if (verdict.speaks !== 'no') return verdict
  const name = path.slice(path.lastIndexOf('/') + 1)
  const other = OTHERS.find(([pattern]) => pattern.test(name))
  if (other !== undefined) return { speaks: 'unreadable', library: other[1], reason: `${other[1]} is not a library that Lintel can read` }
  const trace = tlsTraces(openPath)
  return trace === undefined ? verdict : { speaks: 'unreadable', library: trace, reason: 'TLS is linked into it, and its functions have no symbols' }
}

function textOf(read: () => string): string {
  try {
    return read()
  } catch {
    return '' // gone, or not to be looked at
  }
}
