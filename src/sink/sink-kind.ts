import { z } from 'zod'
import type { Sink, SinkHost } from './sink.ts'

/** Keys that every entry of `outputs` has. */
export const sharedOptions = {
  filter: z.string({ error: 'must be a CEL expression, e.g. http.response.status_code >= 500' }).optional()
    .describe('Only records for which this CEL expression is true go to this output.'),
}

/** Key of the outputs whose lines may be less than whole records: patterns are those of `fields`, and checked with it. */
export const fieldsOption = {
  fields: z.strictObject({
    include: z.array(z.string({ error: 'must be the name of a field or a pattern, e.g. http.request.*' })).optional()
      .describe('Of the fields that are logged, those that this output gets; none = all.'),
    exclude: z.array(z.string({ error: 'must be the name of a field or a pattern, e.g. http.request.*' })).default([])
      .describe('Fields that it does not get; wins over include.'),
  }).optional().describe('Which of the logged fields go to this output; none = all.'),
}

/** Patterns as they stand in the config. */
export interface OutputFields {
  readonly include?: readonly string[] | undefined
  readonly exclude: readonly string[]
}

export interface SharedOptions {
  readonly filter?: string | undefined
}

/** What a sink's file exports, besides the sink: everything that config and command line need to know of it. */
export interface SinkKind<Options extends { readonly type: string } & SharedOptions> {
  /** Word in `outputs[].type` and in `--output TYPE:REST`. */
  readonly type: Options['type']
  /** Strict object with `type` as literal and `sharedOptions`; descriptions on every key become the docs. */
  readonly schema: z.ZodType<Options, unknown>
  /** Fields that its server cannot do without, so that `fields` may not leave them out. */
  readonly needs?: readonly string[]
  /** `--output TYPE:REST` as config; `rest` is empty when there is no colon. Undefined when it makes no sense. */
  short(rest: string): Record<string, unknown> | undefined
  /** @throws {Error} with what to mend, when the destination cannot be used at all */
  open(options: Options, host: SinkHost): Sink
}
