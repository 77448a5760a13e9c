import { BpfError } from './bpf-error.ts'

/** Kinds of BTF types (include/uapi/linux/btf.h), as far as layouts and variables need them. */
const Kind = {
  int: 1, ptr: 2, array: 3, struct: 4, union: 5, enum: 6, fwd: 7, typedef: 8, volatile: 9, const: 10,
  restrict: 11, func: 12, func_proto: 13, var: 14, datasec: 15, float: 16, decl_tag: 17, type_tag: 18,
  enum64: 19,
} as const

const BTF_MAGIC = 0xeb9f
const TYPE_BYTES = 12
const INT_SIGNED = 1
const INT_BOOL = 4
/** A chain of typedefs and qualifiers longer than this is a loop. */
const RESOLVE_STEPS_MAX = 64

/** How to read a variable or a member: a scalar of 1, 2, 4 or 8 bytes, or bytes. */
export const ScalarKind = {
  unsigned: 'unsigned', signed: 'signed', boolean: 'boolean', bytes: 'bytes',
} as const
export type ScalarKind = (typeof ScalarKind)[keyof typeof ScalarKind]

/** A variable of a section, or a member of a struct: where its bytes are. */
export interface BtfField {
  readonly name: string
  readonly offsetBytes: number
  readonly sizeBytes: number
  readonly kind: ScalarKind
}

/** A struct or union as the compiler laid it out. */
export interface BtfStruct {
  readonly name: string
  readonly sizeBytes: number
  /** Members in order; a bit field has `sizeBytes` 0. */
  readonly members: readonly BtfField[]
}

/**
 * BPF Type Format, read from its raw bytes: the variables of each data section and the layout of each
 * struct. Pure; needs no kernel. Documentation/bpf/btf.rst describes the encoding.
 */
export class Btf {
  readonly #view: DataView
  /** Where each type starts; type ids count from 1, 0 is void. */
  readonly #offsets: number[] = [0]
  readonly #stringsAt: number
  readonly #bytes: Uint8Array

  /** @throws BpfError EINVAL when `bytes` are not little-endian BTF. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (bytes.length < 24 || this.#view.getUint16(0, true) !== BTF_MAGIC) {
      throw new BpfError('Cannot read BTF: the magic number 0xeb9f is missing; compile with -g -target bpf',
        'EINVAL')
    }
    const headerBytes = this.#u32(4)
    let at = headerBytes + this.#u32(8)
    const end = at + this.#u32(12)
    this.#stringsAt = headerBytes + this.#u32(16)
    if (end > bytes.length || this.#stringsAt > bytes.length) {
      throw new BpfError(`Cannot read BTF: its sections end behind its ${bytes.length} bytes`, 'EINVAL')
    }
    while (at + TYPE_BYTES <= end) {
      this.#offsets.push(at)
      at += TYPE_BYTES + this.#extraBytes(at)
    }
  }

  /** The variables of a data section such as `.rodata`; empty when there is no such section. */
  variables(section: string): readonly BtfField[] {
    const at = this.#find(section, Kind.datasec)
    if (at === undefined) return []
    const variables: BtfField[] = []
    for (let each = 0; each < this.#vlen(at); each += 1) {
      const entry = at + TYPE_BYTES + each * 12
      const variable = this.#at(this.#u32(entry))
      variables.push({
        name: this.#string(this.#u32(variable)),
        offsetBytes: this.#u32(entry + 4),
        sizeBytes: this.#u32(entry + 8),
        kind: this.#scalarKind(this.#u32(variable + 8)),
      })
    }
    return variables
  }

  /** The layout of a struct or union by its tag; `undefined` when the object has none of that name. */
  struct(name: string): BtfStruct | undefined {
    const at = this.#find(name, Kind.struct) ?? this.#find(name, Kind.union)
    if (at === undefined) return undefined
    const hasBitFields = this.#u32(at + 4) >>> 31 === 1
    const members: BtfField[] = []
    for (let each = 0; each < this.#vlen(at); each += 1) {
      const entry = at + TYPE_BYTES + each * 12
      const type = this.#u32(entry + 4)
      const position = this.#u32(entry + 8)
      // With kind_flag set, the top byte is the bit field's width (btf.rst 2.2.4).
      const bitWidth = hasBitFields ? position >>> 24 : 0
      members.push({
        name: this.#string(this.#u32(entry)),
        offsetBytes: (hasBitFields ? position & 0xff_ffff : position) >>> 3,
        sizeBytes: bitWidth > 0 ? 0 : this.#sizeOf(type),
        kind: this.#scalarKind(type),
      })
    }
    return { name, sizeBytes: this.#u32(at + 8), members }
  }

  #u32(offset: number): number {
    return this.#view.getUint32(offset, true)
  }

  #at(type: number): number {
    const at = this.#offsets[type]
    if (at === undefined || type === 0) {
      throw new BpfError(
        `Cannot read BTF: type ${type} is not among its ${this.#offsets.length - 1}`, 'EINVAL')
    }
    return at
  }

  #kind(at: number): number {
    return (this.#u32(at + 4) >>> 24) & 0x1f
  }

  #vlen(at: number): number {
    return this.#u32(at + 4) & 0xffff
  }

  #string(offset: number): string {
    const start = this.#stringsAt + offset
    const end = this.#bytes.indexOf(0, start)
    return new TextDecoder().decode(this.#bytes.subarray(start, end < 0 ? undefined : end))
  }

  #find(name: string, kind: number): number | undefined {
    for (let type = 1; type < this.#offsets.length; type += 1) {
      const at = this.#at(type)
      if (this.#kind(at) === kind && this.#string(this.#u32(at)) === name) return at
    }
    return undefined
  }

  /** Follows typedefs and qualifiers; `undefined` for void. */
  #resolve(type: number): number | undefined {
    let current = type
    for (let steps = 0; steps < RESOLVE_STEPS_MAX && current !== 0; steps += 1) {
      const at = this.#at(current)
      switch (this.#kind(at)) {
        case Kind.typedef: case Kind.volatile: case Kind.const: case Kind.restrict: case Kind.type_tag:
          current = this.#u32(at + 8)
          break
        default:
          return at
      }
    }
    return undefined
  }

  #sizeOf(type: number): number {
    const at = this.#resolve(type)
    if (at === undefined) return 0
    if (this.#kind(at) === Kind.ptr) return 8
    if (this.#kind(at) !== Kind.array) return this.#u32(at + 8)
    return this.#sizeOf(this.#u32(at + TYPE_BYTES)) * this.#u32(at + TYPE_BYTES + 8)
  }

  #scalarKind(type: number): ScalarKind {
    const at = this.#resolve(type)
    if (at === undefined) return ScalarKind.bytes
    switch (this.#kind(at)) {
      case Kind.int: {
        const encoding = (this.#u32(at + TYPE_BYTES) >>> 24) & 0xf
        if ((encoding & INT_BOOL) !== 0) return ScalarKind.boolean
        return (encoding & INT_SIGNED) !== 0 ? ScalarKind.signed : ScalarKind.unsigned
      }
      case Kind.enum: case Kind.enum64: case Kind.ptr:
        return ScalarKind.unsigned
      default:
        return ScalarKind.bytes
    }
  }

  #extraBytes(at: number): number {
    switch (this.#kind(at)) {
      case Kind.int: case Kind.var: case Kind.decl_tag: return 4
      case Kind.array: return 12
      case Kind.struct: case Kind.union: case Kind.datasec: case Kind.enum64: return this.#vlen(at) * 12
      case Kind.enum: case Kind.func_proto: return this.#vlen(at) * 8
      default: return 0
    }
  }
}
