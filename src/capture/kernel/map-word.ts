/** A key or a value of a map, as a program's __u32 has it. */
export function wordBytes(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer)
}
