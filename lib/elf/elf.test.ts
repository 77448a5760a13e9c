import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ElfError, ElfFile, goFunctions, goVersion, x64Length, x64Returns } from './mod.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-elf-'))
after(() => { rmSync(folder, { recursive: true, force: true }) })

const SOURCE = `
__attribute__((noinline)) int wanted(int x) { return x * 3; }
__attribute__((noinline)) int other(int x) { return wanted(x) + 1; }
int main(int count, char **words) { return other(count); }
`

function compileC(name: string, ...flags: string[]): string {
  return compile(SOURCE, name, ...flags)
}

function compile(source: string, name: string, ...flags: string[]): string {
  const path = join(folder, name)
  execFileSync('clang-19', ['-x', 'c', '-O1', '-', '-o', path, ...flags], { input: source })
  return path
}

test('functions are found by name, at the offset where their code stands in the file', () => {
  const path = compileC('program')
  using elf = new ElfFile(path)
  const found = elf.functions(new Set(['wanted', 'absent', 'main']))
  assert.deepEqual([...found.keys()].sort(), ['main', 'wanted'])
  const { address, length } = found.get('wanted')!
  const offset = elf.fileOffset(address)!
  // nm is another reader of the same file.
  const [told] = execFileSync('nm', [path], { encoding: 'utf8' }).split('\n').filter((line) => line.endsWith(' wanted'))
  assert.equal(address, Number.parseInt(told!, 16))
  assert.deepEqual(elf.memory(address, length), new Uint8Array(readFileSync(path).subarray(offset, offset + length)))
})

test('functions of a table that is read in many pieces are those that nm tells, also where a name is the end of another', () => {
  const names = Array.from({ length: 6000 }, (_, index) => `f${'_'.repeat(index % 40)}${index}`)
  const path = compile(`${names.map((name) => `int ${name}(void) { return 1; }`).join('\n')}\nint main(void) { return 0; }`, 'many')
  const told = new Map(execFileSync('nm', [path], { encoding: 'utf8' }).split('\n').map((line) => line.split(' '))
    .filter(([, type]) => type === 'T').map(([address, , name]) => [name!, Number.parseInt(address!, 16)]))
  using elf = new ElfFile(path)
  const found = elf.functions(new Set([...names, 'absent', '_1']))
  assert.equal(found.size, names.length)
  for (const name of names) assert.equal(found.get(name)?.address, told.get(name), name)
  const section = elf.section('.strtab')!
  const whole = Buffer.from(elf.read(section)!).toString('latin1')
  let count = 0
  let end = 0
  for (const { bytes, at } of elf.pieces(section, 9)) {
    assert.ok(bytes.equals(Buffer.from(whole.slice(at, at + bytes.length), 'latin1')))
    assert.equal(at, count === 0 ? 0 : end - 9)
    count++
    end = at + bytes.length
  }
  assert.ok(count > 1, 'the table is larger than a piece')
  assert.equal(end, whole.length)
})

test('a stripped file has its exported functions only', () => {
  using library = new ElfFile(compileC('library.so', '-shared', '-fPIC', '-s'))
  assert.deepEqual([...library.functions(new Set(['wanted'])).keys()], ['wanted'])
  using program = new ElfFile(compileC('stripped', '-s'))
  assert.equal(program.functions(new Set(['wanted'])).size, 0)
})

test('what is no ELF file, or a broken one, is an error or has no functions, never a crash', () => {
  const whole = readFileSync(compileC('whole'))
  const path = join(folder, 'broken')
  writeFileSync(path, 'no such thing')
  assert.throws(() => new ElfFile(path), ElfError)
  for (let round = 0; round < 400; round++) {
    const bytes = Buffer.from(whole)
    // The headers and the tables behind the code; every round hits other places.
    for (let hit = 0; hit < 4; hit++) {
      const at = hit === 0 ? (round * 7) % 64 : (round * 7919 + hit * 104729) % bytes.length
      bytes[at] = (round * 31 + hit * 17) & 0xff
    }
    writeFileSync(path, round % 3 === 0 ? bytes.subarray(0, (round * 4241) % bytes.length) : bytes)
    try {
      using elf = new ElfFile(path)
      elf.functions(new Set(['wanted', 'main']))
      goFunctions(elf, new Set(['main.main']), () => true)
      goVersion(elf)
    } catch (error) {
      assert.ok(error instanceof ElfError, String(error))
    }
  }
})

/** Instructions as objdump takes them apart: address and bytes. */
function instructionsOf(path: string): { at: number; bytes: number[]; text: string }[] {
  const output = execFileSync('objdump', ['-d', '-w', '-j', '.text', path], { encoding: 'latin1', maxBuffer: 1 << 28 })
  return [...output.matchAll(/^\s+([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*\t?(.*)$/gm)].map(([, at, bytes, text]) => ({
    at: Number.parseInt(at!, 16), bytes: bytes!.trim().split(' ').map((byte) => Number.parseInt(byte, 16)), text: text!,
  }))
}

test('instruction lengths are those of objdump, over the whole code of curl', { skip: process.arch !== 'x64' && 'x86-64 only' }, () => {
  const instructions = instructionsOf(execFileSync('sh', ['-c', 'command -v curl'], { encoding: 'utf8' }).trim())
  assert.ok(instructions.length > 10_000)
  // The next instruction's bytes stand behind, as in a program.
  const wrong = instructions.filter(({ bytes, text }, index) => {
    const code = new Uint8Array([...bytes, ...(instructions[index + 1]?.bytes ?? [])])
    return !text.includes('(bad)') && x64Length(code, 0) !== bytes.length
  })
  assert.deepEqual(wrong.slice(0, 5), [])
})

test('return instructions are told from bytes that look like one', () => {
  // mov eax, 0xc3c3c3c3; test eax, eax; je +1; ret; ret 8
  const code = new Uint8Array([0xb8, 0xc3, 0xc3, 0xc3, 0xc3, 0x85, 0xc0, 0x74, 0x01, 0xc3, 0xc2, 0x08, 0x00])
  assert.deepEqual(x64Returns(code), [9, 10])
  // Cut in the midst of an instruction, and an opcode that is none in 64-bit mode.
  assert.equal(x64Returns(code.subarray(0, 12)), undefined)
  assert.equal(x64Returns(new Uint8Array([0x06])), undefined)
})

test('functions of a Go program are found without symbols, where the symbols say', { timeout: 300_000 }, () => {
  const source = join(folder, 'main.go')
  writeFileSync(source, 'package main\n\nimport "fmt"\n\n//go:noinline\nfunc wanted(x int) { fmt.Println(x) }\n\nfunc main() { wanted(3) }\n')
  const names = new Set(['main.wanted', 'main.main', 'main.absent'])
  const isEntry = (code: Uint8Array): boolean => code[0] === 0x49 && code[1] === 0x3b
  for (const flags of [['-buildmode=exe'], ['-buildmode=pie']]) {
    const plain = join(folder, 'go-plain')
    const stripped = join(folder, 'go-stripped')
    execFileSync('go', ['build', ...flags, '-o', plain, source], { cwd: folder })
    execFileSync('go', ['build', ...flags, '-ldflags=-s -w', '-o', stripped, source], { cwd: folder })
    using known = new ElfFile(plain)
    using elf = new ElfFile(stripped)
    assert.match(goVersion(elf) ?? '', /^go1\.\d+/)
    assert.equal(elf.functions(names).size, 0)
    const found = goFunctions(elf, names, isEntry)
    assert.ok('functions' in found, JSON.stringify(found))
    const truth = known.functions(names)
    const code = (file: ElfFile, address: number, length: number): Uint8Array | undefined => file.memory(address, length)
    assert.deepEqual([...found.functions.keys()].sort(), [...truth.keys()].sort())
    for (const { name, address, length } of found.functions.values()) {
      assert.ok(x64Returns(code(elf, address, length)!)!.length > 0, name)
      assert.equal(address - found.functions.get('main.main')!.address, truth.get(name)!.address - truth.get('main.main')!.address)
    }
    // Where no entry is, it says so instead of a guess.
    assert.deepEqual(goFunctions(elf, names, () => false), { reason: 'where its code lies is not known (built with cgo and stripped?)' })
  }
})
