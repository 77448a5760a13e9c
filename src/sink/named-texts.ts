import { z } from 'zod'

const TEXT_MAX = 256

type NamedTexts = z.ZodRecord<z.ZodString, z.ZodString>

/** One of the texts: not empty, not long. */
export const namedText = z.string().min(1, 'must not be empty').max(TEXT_MAX, `must be ${TEXT_MAX} characters at most`)

/**
 * Texts by names that the config chooses: labels, tags, attributes.
 *
 * @param most names; more are told as too many of `what`
 * @param fault what is wrong with a name; undefined = nothing
 */
export function namedTexts(
  most: number, what: string, fault: (name: string) => string | undefined, text: z.ZodString = namedText,
): NamedTexts {
  return z.record(z.string(), text).superRefine((texts, context) => {
    const names = Object.keys(texts)
    if (names.length > most) context.addIssue({ code: 'custom', message: `must be ${most} ${what} at most` })
    for (const name of names) {
      const message = fault(name)
      if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message })
    }
  })
}

const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const LABELS_MAX = 10

/** Labels as Prometheus and Loki have them. @param taken what is wrong with the name of a label that is not free */
export function labelTexts(taken: (name: string) => string | undefined): NamedTexts {
  return namedTexts(LABELS_MAX, 'labels', name => LABEL.test(name) ? taken(name) : 'must be letters, digits and "_", no digit first')
}
