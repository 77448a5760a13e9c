import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { corpusFile, corpusFolder } from './corpora.ts'

export interface StoryCase {
  readonly tableSize: number | undefined
  readonly wire: Buffer
  /** In order of arrival. */
  readonly fields: readonly (readonly [name: string, value: string])[]
}

export interface Story {
  readonly encoder: string
  readonly name: string
  readonly cases: readonly StoryCase[]
}

interface StoryFile {
  cases: { header_table_size?: number; wire?: string; headers: Record<string, string>[] }[]
}

const CORPUS = 'hpack-test-case'

function read(encoder: string, file: string): Story {
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as StoryFile
  return {
    encoder,
    name: basename(file, '.json'),
    cases: cases.map(({ header_table_size: tableSize, wire, headers }) => ({
      tableSize,
      wire: Buffer.from(wire ?? '', 'hex'),
      fields: headers.map((field) => Object.entries(field)[0]!),
    })),
  }
}

/** Every story of every encoder of hpack-test-case; `raw-data`, which has no wire bytes, is left out. */
export function hpackStories(): Story[] {
  const folder = corpusFolder(CORPUS)
  const work = mkdtempSync(join(tmpdir(), 'lintel-hpack-'))
  try {
    for (const entry of readdirSync(folder)) {
      if (!entry.endsWith('.tar.gz') || entry.startsWith('raw-data')) continue
      const archive = join(work, entry)
      writeFileSync(archive, corpusFile(`${CORPUS}/${entry}`)!)
      execFileSync('tar', ['xzf', archive, '-C', work, '--no-same-owner'])
    }
    const folders = [work, folder].flatMap((parent) => readdirSync(parent, { withFileTypes: true })
      .filter((entry) => entry.isDirectory()).map((entry) => join(parent, entry.name)))
    return folders.flatMap((path) => readdirSync(path).filter((file) => file.endsWith('.json')).sort()
      .map((file) => read(basename(path), join(path, file))))
  } finally {
    rmSync(work, { recursive: true })
  }
}
