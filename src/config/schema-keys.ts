import type { z } from 'zod'

interface Definition {
  readonly type: string
  readonly innerType?: z.core.$ZodType
  readonly in?: z.core.$ZodType
  readonly element?: z.core.$ZodType
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>
  readonly options?: readonly z.core.$ZodType[]
}

function definition(schema: z.core.$ZodType): Definition {
  return schema._zod.def as unknown as Definition
}

/** The keys that the schema knows at `path`; for a list of kinds (`outputs`) the keys of all of them. */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let at: z.core.$ZodType[] = [schema]
  for (const key of path) at = at.flatMap(unwrap).flatMap(entry => child(definition(entry), key))
  return [...new Set(at.flatMap(unwrap).flatMap(entry => Object.keys(definition(entry).shape ?? {})))]
}

function child(def: Definition, key: PropertyKey): z.core.$ZodType[] {
  if (def.type === 'array') return def.element === undefined ? [] : [def.element]
  const entry = typeof key === 'string' && def.shape !== undefined && Object.hasOwn(def.shape, key) ? def.shape[key] : undefined
  return entry === undefined ? [] : [entry]
}

/** Without defaults, optionals and transforms; a union gives all its members. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType[] {
  const def = definition(schema)
  if (def.innerType !== undefined) return unwrap(def.innerType)
  if (def.in !== undefined) return unwrap(def.in)
  if (def.options !== undefined) return def.options.flatMap(unwrap)
  return [schema]
}
