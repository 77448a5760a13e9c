import { ByteMemory } from '../bytes/mod.ts'

/** A number of JSON. */
const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** An instance of the byte module, nobody else's, in which lines of JSON are taken apart: it asks for numbers that take more than a division. */
export function lineMemory(): ByteMemory {
  const memory: ByteMemory = new ByteMemory({ imports: { readDouble: (at, length) => doubleOf(memory.latin1(at as number, length as number)) } })
  return memory
}

/** To the nearest double; NaN = it is no number of JSON. */
function doubleOf(text: string): number {
  return NUMBER.test(text) ? Number(text) : Number.NaN
}
