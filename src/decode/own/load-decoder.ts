import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Decoder } from './contract.ts'

/** A decoder with the URL of the file that it came from. */
export interface LoadedDecoder {
  readonly decoder: Decoder
  readonly file: string
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,31}$/
const TAKEN: ReadonlySet<string> = new Set(['http', 'websocket', 'tls', 'quic'])
const PORTS_MAX = 64
const DETECT_BYTES_MAX = 1024

/**
 * Loads decoders of the user's own, TypeScript or JavaScript; paths are taken from the present folder.
 *
 * @throws {Error} naming the file, what is wrong with it and the mend
 */
export async function loadDecoders(paths: readonly string[]): Promise<LoadedDecoder[]> {
  const loaded: LoadedDecoder[] = []
  for (const path of paths) {
    const refuse = (what: string): never => { throw new Error(`Cannot use the decoder "${path}": ${what}`) }
    const absolute = resolve(path)
    if (!existsSync(absolute)) refuse(`there is no such file; its path is taken from "${process.cwd()}"`)
    const file = pathToFileURL(absolute).href
    let module: { readonly default?: unknown }
    try {
      module = await import(file) as { readonly default?: unknown }
    } catch (error) {
      return refuse(`it cannot be loaded: ${error instanceof Error ? error.message : String(error)}`)
    }
    const decoder = module.default
    const wrong = faultOf(decoder)
    if (wrong !== undefined) refuse(`${wrong}; see docs/decoders.md`)
    const { name } = decoder as Decoder
    if (loaded.some((other) => other.decoder.name === name)) refuse(`its name "${name}" is that of another decoder; rename one`)
    loaded.push({ decoder: decoder as Decoder, file })
  }
  return loaded
}

/** What keeps `value` from being a Decoder. */
function faultOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'its default export must be an object: export default { name, ports, detect, open }'
  const { name, ports, detectBytes, detect, open } = value as Record<keyof Decoder, unknown>
  if (typeof name !== 'string' || !NAME.test(name)) return '"name" must be 1 to 32 of a-z, 0-9, ".", "_" and "-"'
  if (TAKEN.has(name)) return `"name" must not be "${name}": Lintel reads that itself`
  if (!Array.isArray(ports) || ports.length === 0 || ports.length > PORTS_MAX || !ports.every(isPort)) {
    return `"ports" must be a list of 1 to ${PORTS_MAX} numbers from 1 to 65535`
  }
  if (detectBytes !== undefined && !(Number.isInteger(detectBytes) && (detectBytes as number) >= 1 && (detectBytes as number) <= DETECT_BYTES_MAX)) {
    return `"detectBytes" must be a number from 1 to ${DETECT_BYTES_MAX}`
  }
  if (typeof detect !== 'function') return '"detect" must be a function'
  return typeof open === 'function' ? undefined : '"open" must be a function'
}

function isPort(port: unknown): boolean {
  return Number.isInteger(port) && (port as number) >= 1 && (port as number) <= 65_535
}
