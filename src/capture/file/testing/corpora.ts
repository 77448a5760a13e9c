import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const folder = resolve(root, process.env['LINTEL_CORPORA'] ?? '../shared/corpora')
const truthPath = join(folder, 'expected', 'truth.jsonl')

/** One capture file and what another program reads in it. */
export interface CaptureTruth {
  readonly file: string
  readonly bytes: number
  /** The other program read it to its end. */
  readonly opens: boolean
  readonly packets: number
  readonly tcp_streams: number
  readonly traits: Readonly<Record<string, number>>
}

/** False, or why the tests over captures cannot run. */
export const corporaMissing: string | false = existsSync(truthPath)
  ? false
  : `"${folder}" has no captures; set LINTEL_CORPORA`

if (corporaMissing !== false && process.env['CI'] === 'true') throw new Error(`Cannot test: ${corporaMissing}`)

export function captures(): CaptureTruth[] {
  if (corporaMissing !== false) return []
  return readFileSync(truthPath, 'utf8').trim().split('\n').map(line => JSON.parse(line) as CaptureTruth)
}

export function capturePath(file: string): string {
  return join(folder, file)
}
