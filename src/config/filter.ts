import { z } from 'zod'
import { FIELDS } from '../exchange/fields.ts'
import { compileFilter, FilterError } from '../sink/filter/mod.ts'

/** A CEL expression over the record; stays text, and compiles for sure. */
export const filterSchema = z.string({ error: 'must be a CEL expression, e.g. http.response.status_code >= 500' })
  .superRefine((text, context) => {
    try {
      compileFilter(text, FIELDS)
    } catch (error) {
      if (!(error instanceof FilterError)) throw error
      context.addIssue({ code: 'custom', message: error.message })
    }
  })
