import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** What of Lintel is in the kernel now, as bpftool tells: program names, and the names of programs that are attached. */
export interface KernelObjects {
  readonly programs: readonly string[]
  readonly links: number
  /** Program names at network hooks of any interface of this namespace. */
  readonly hooks: readonly string[]
}

interface Named { name?: string }

function bpftool<T>(...words: string[]): T {
  return JSON.parse(execFileSync('bpftool', ['-j', ...words], { encoding: 'utf8' })) as T
}

/** Programs named `lintel*`, links to them, and network hooks that hold them. */
export function kernelObjects(): KernelObjects {
  const programs = bpftool<{ id: number; name?: string }[]>('prog', 'show').filter((program) => program.name?.startsWith('lintel'))
  const ids = new Set(programs.map((program) => program.id))
  const links = bpftool<{ prog_id?: number }[]>('link', 'show').filter((link) => ids.has(link.prog_id ?? -1))
  const net = execFileSync('bpftool', ['-j', 'net', 'show'], { encoding: 'utf8' })
  const hooks = [...net.matchAll(/"(?:name|prog_name)":"(lintel[^"]*)"/g)].map((match) => match[1]!)
  return { programs: programs.map((program: Named) => program.name!), links: links.length, hooks }
}

/** True when nothing of Lintel is left in the kernel. */
export function nothingLeft(objects: KernelObjects): boolean {
  return objects.programs.length === 0 && objects.links === 0 && objects.hooks.length === 0
}

/** Id of the map of this name that the process holds. @throws {Error} when it holds none */
export function mapOf(processId: number, name: string): number {
  const folder = `/proc/${processId}/fdinfo`
  for (const fd of readdirSync(folder)) {
    // A descriptor of another kind may be closed by now.
    const text = existsSync(`${folder}/${fd}`) ? readFileSync(`${folder}/${fd}`, 'utf8') : ''
    const id = Number(/^map_id:\s*(\d+)$/m.exec(text)?.[1])
    if (id > 0 && bpftool<Named>('map', 'show', 'id', String(id)).name === name) return id
  }
  throw new Error(`Process ${processId} has no map "${name}"`)
}

export function keysOf(map: number): Buffer[] {
  return bpftool<{ key: string[] }[]>('map', 'dump', 'id', String(map)).map(({ key }) => Buffer.from(key.map(Number)))
}
