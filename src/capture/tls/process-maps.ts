import { readdirSync, readFileSync } from 'node:fs'

/** A file of which a process has code mapped. */
export interface CodeMapping {
  readonly processId: number
  /** `major:minor:inode` of its file system, as the kernel prints it; equal = the same file. */
  readonly file: string
  /** As the process sees it; ` (deleted)` stands behind it when the name is another file's now. */
  readonly path: string
  /** Path under which it can be opened from here, whatever its mount namespace, also when it has been deleted. */
  readonly openPath: string
}

const PROCESS = /^\d+$/
/** start-end perms offset dev inode path (proc_pid_maps(5)); map_files has the range without the zeros in front. */
const LINE = /^0*([0-9a-f]+)-0*([0-9a-f]+) ..x. [0-9a-f]+ ([0-9a-f]+:[0-9a-f]+) (\d+) +(\/.*)$/gm

/** Ids of all processes there are. */
export function processIds(): number[] {
  return readdirSync('/proc').filter((name) => PROCESS.test(name)).map(Number)
}

/** The files of which a process has code mapped, each once; none when it is gone, or a kernel thread. */
export function codeMappings(processId: number): CodeMapping[] {
  let text: string
  try {
    text = readFileSync(`/proc/${processId}/maps`, 'latin1')
  } catch {
    return []
  }
  const found = new Map<string, CodeMapping>()
  for (const [, start, end, device, inode, path] of text.matchAll(LINE)) {
    const file = `${device}:${inode}`
    if (inode === '0' || found.has(file)) continue
    found.set(file, { processId, file, path: path!, openPath: `/proc/${processId}/map_files/${start}-${end}` })
  }
  return [...found.values()]
}
