/**
 * Turns bpf/events.h into src/capture/events.gen.ts, and into wasm/events.gen.ts what AssemblyScript reads of it (plain numbers:
 * it knows no objects). clang compiles the header, so offsets come from the compiler.
 *
 * In: bpf/events.h (path fixed). Out: the texts on the files, or with `--check` exit code 1 when a committed file differs.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync, mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = `${root}bpf/events.h`
const header = readFileSync(source, 'utf8')

/** Struct members in order, from the header's text; their offsets are asked from the compiler. */
function membersOf(struct: string): { name: string }[] {
  const body = new RegExp(`struct ${struct} \\{([\\s\\S]*?)\\n\\};`).exec(header)?.[1]
  if (body === undefined) throw new Error(`Cannot find struct "${struct}" in bpf/events.h`)
  const text = body.replaceAll(/\/\*[\s\S]*?\*\//g, '')
  return [...text.matchAll(/__u(?:8|16|32|64)\s+(\w+)(?:\[\w+\])?;/g)]
    .map((match) => ({ name: match[1]! }))
}

function compileLayout(structs: string[]): Map<string, number> {
  const lines = structs.flatMap((struct) => [
    `printf("${struct} size %zu\\n", sizeof(struct ${struct}));`,
    ...membersOf(struct).map(({ name }) => `printf("${struct} ${name} %zu\\n", offsetof(struct ${struct}, ${name}));`),
  ])
  const program = `#include <stdio.h>\n#include <stddef.h>\n#include "${source}"\nint main(void) {\n${lines.join('\n')}\n}\n`
  mkdirSync(`${root}build`, { recursive: true })
  const binary = `${root}build/gen-layout`
  const compiler = process.env['HOST_CC'] ?? 'clang-19'
  execFileSync(compiler, ['-x', 'c', '-', '-o', binary], { input: program })
  const output = execFileSync(binary, { encoding: 'utf8' })
  return new Map(output.trim().split('\n').map((line) => {
    const [struct, member, value] = line.split(' ')
    return [`${struct}.${member}`, Number(value)]
  }))
}

function upperSnake(struct: string): string {
  return struct.toUpperCase()
}

const NOTE = '// Made by tools/gen-layout.ts from bpf/events.h. Do not edit: run `make layout`.'
const constants = [...header.matchAll(/^#define ([A-Z0-9_]+) (\d+)/gm)].map((match) => ({ name: match[1]!, value: match[2]! }))

function generate(layout: Map<string, number>): string {
  const out = [NOTE, '']
  for (const struct of STRUCTS) {
    out.push(`/** Byte offsets in struct ${struct}; \`bytes\` is its size. */`)
    out.push(`export const ${upperSnake(struct)} = {`)
    out.push(`  bytes: ${layout.get(`${struct}.size`)},`)
    for (const { name } of membersOf(struct)) out.push(`  ${name}: ${layout.get(`${struct}.${name}`)},`)
    out.push('} as const', '')
  }
  for (const { name, value } of constants) out.push(`export const ${name} = ${value}`)
  return `${out.join('\n')}\n`
}

/** The two events with bytes of a stream, and the bits and kinds that they hold. */
function generateNumbers(layout: Map<string, number>): string {
  const out = [NOTE]
  for (const event of ['packet', 'plaintext']) {
    const struct = `${event}_event`
    const offset = (name: string, member: string): string => `export const ${upperSnake(`${event}_${name}`)} = ${layout.get(`${struct}.${member}`)}`
    out.push('', `// Byte offsets in struct ${struct}.`, offset('bytes', 'size'), ...membersOf(struct).map(({ name }) => offset(name, name)))
  }
  out.push('')
  for (const { name, value } of constants) if (/^(EVENT|FLAG|DIRECTION|PLAINTEXT)_/.test(name)) out.push(`export const ${name} = ${value}`)
  return `${out.join('\n')}\n`
}

const STRUCTS = ['packet_event', 'plaintext_event', 'process_info', 'directive', 'plaintext_directive', 'settings', 'tally_key', 'tally']
const layout = compileLayout(STRUCTS)
const targets = new Map([
  ['src/capture/events.gen.ts', generate(layout)],
  ['wasm/events.gen.ts', generateNumbers(layout)],
])
for (const [target, text] of targets) {
  if (!process.argv.includes('--check')) writeFileSync(root + target, text)
  else if (readFileSync(root + target, 'utf8') !== text) {
    console.error(`${target} is stale: run \`make layout\` and commit it`)
    process.exitCode = 1
  }
}
