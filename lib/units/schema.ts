import { z } from 'zod'
import { parseBytes } from './bytes.ts'
import { parseDuration } from './duration.ts'

interface Range {
  readonly min?: string
  readonly max?: string
}

/** A size in the words of people; gives bytes. `range` is in the same words. */
export function bytesSchema(range: Range = {}) {
  return z.union([z.string(), z.int().nonnegative()], { error: 'must be a size, e.g. 64MiB, 1GB or 4096' })
    .transform((value, context) => read(String(value), context, parseBytes, range))
}

/** A duration in the words of people; gives milliseconds. */
export function durationSchema(range: Range = {}) {
  return z.string({ error: 'must be a duration with its unit, e.g. 500ms, 10s or 24h' })
    .transform((value, context) => read(value, context, parseDuration, range))
}

function read(text: string, context: z.RefinementCtx, parse: (text: string) => number, range: Range): number {
  let value: number
  try {
    value = parse(text)
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message })
    return z.NEVER
  }
  if (range.min !== undefined && value < parse(range.min)) {
    context.addIssue({ code: 'custom', message: `must be at least ${range.min}: it is ${text}` })
  }
  if (range.max !== undefined && value > parse(range.max)) {
    context.addIssue({ code: 'custom', message: `must be at most ${range.max}: it is ${text}` })
  }
  return value
}
