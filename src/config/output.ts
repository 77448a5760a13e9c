import { resolve } from 'node:path'
import { z } from 'zod'
import { openSink, OUTPUTS_MAX, type Sink, SINK_KINDS, type SinkHost, type SinkOptions } from '../sink/mod.ts'
import { fieldPatternSchema, leftOutFields } from './choice.ts'
import { filterSchema } from './filter.ts'

type SchemasOf<Kinds extends readonly { readonly schema: unknown }[]> = { [Index in keyof Kinds]: Kinds[Index]['schema'] }

const schemas = SINK_KINDS.map(kind => kind.schema) as unknown as SchemasOf<typeof SINK_KINDS>
const kinds = z.discriminatedUnion('type', schemas)

const NEEDS = new Map(SINK_KINDS.map(kind => [kind.type, 'needs' in kind ? kind.needs : []] as const))

/** One entry of `outputs`. */
export const outputSchema = kinds.superRefine((output, context) => {
  const check = (schema: z.ZodType, value: unknown, path: PropertyKey[]): void => {
    for (const { message } of schema.safeParse(value).error?.issues ?? []) context.addIssue({ code: 'custom', path, message })
  }
  if (output.filter !== undefined) check(filterSchema, output.filter, ['filter'])
  if (!('fields' in output) || output.fields === undefined) return
  for (const [key, patterns] of Object.entries(output.fields)) {
    patterns?.forEach((pattern, index) => { check(fieldPatternSchema, pattern, ['fields', key, index]) })
  }
  if (output.fields.include?.length === 0) {
    context.addIssue({ code: 'custom', path: ['fields', 'include'], message: 'must name one field at least; leave it out for all' })
  }
  if (context.issues.length > 0) return
  const leftOut = new Set(leftOutFields(output.fields))
  for (const name of NEEDS.get(output.type) ?? []) {
    if (!leftOut.has(name)) continue
    context.addIssue({ code: 'custom', path: ['fields'], message: `must not leave out ${name}: ${output.type} cannot keep records without` })
  }
})

/** Opens an output as the config says. @throws {Error} with what to mend, when it cannot be used */
export function openOutput(output: SinkOptions, host: SinkHost): Sink {
  const fields = 'fields' in output ? output.fields : undefined
  return openSink(output, host, fields === undefined ? [] : leftOutFields(fields))
}

export const outputsSchema = z.array(outputSchema).max(OUTPUTS_MAX).default([])
  .superRefine((outputs, context) => {
    for (const { index, message } of outputClashes(outputs)) context.addIssue({ code: 'custom', path: [index], message })
    for (const { index, message } of nameClashes(outputs)) context.addIssue({ code: 'custom', path: [index], message })
  })
  .describe('Where records go, any number at once; none = readable lines on a terminal, else NDJSON to standard output.')

/** Outputs that would write into each other. */
export function outputClashes(outputs: readonly SinkOptions[]): { index: number, message: string }[] {
  const seen = new Map<string, number>()
  return outputs.flatMap((output, index) => placesOf(output).flatMap(where => {
    const before = seen.get(where)
    seen.set(where, before ?? index)
    return before === undefined ? []
      : [{ index, message: `must not write to ${where} as outputs[${before}] does: leave one of them out` }]
  }))
}

/** Outputs to one server that messages and metrics could not tell apart. */
function nameClashes(outputs: readonly SinkOptions[]): { index: number, message: string }[] {
  const seen = new Map<string, number>()
  return outputs.flatMap((output, index) => {
    const name = nameOf(output)
    if (name === undefined) return []
    const before = seen.get(name)
    seen.set(name, before ?? index)
    return before === undefined ? [] : [{ index, message: `must have a name of its own: "${name}" is outputs[${before}]; add name: to one of them` }]
  })
}

/** Undefined: it has none, or one that is wrong and told by itself. */
function nameOf(output: SinkOptions): string | undefined {
  const place = ('name' in output ? output.name : undefined) ?? serverOf(output)
  return place === undefined ? undefined : `${output.type}:${place}`
}

function serverOf(output: SinkOptions): string | undefined {
  if (output.type === 'module') return output.path
  if ('brokers' in output) return `${output.brokers[0]}/${output.topic}`
  return 'url' in output && URL.canParse(output.url) ? new URL(output.url).host : undefined
}

/** Files and folders of its own; none for those that write to nothing here. */
function placesOf(output: SinkOptions): readonly string[] {
  // Not the path of a module: that is read.
  if ('spool' in output) {
    return output.spool === undefined ? []
      : [output.spool.path, output.dead_letters.path].filter(path => path !== undefined).map(path => resolve(path))
  }
  if ('path' in output) return [resolve(output.path)]
  return 'url' in output ? [] : ['standard output']
}
