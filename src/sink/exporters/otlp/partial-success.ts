import { messageOf, numberOf, textOf, wireFields } from './wire-reader.ts'

/**
 * What a server that has taken a request says against it: partial_success (1) of the response, of every signal the number of what it has
 * rejected (1) and error_message (2).
 */
export function partialSuccess(response: Buffer, clean: (text: string) => string): { readonly rejected: number, readonly message: string } {
  const partial = messageOf(wireFields(response), 1)
  return { rejected: numberOf(partial, 1), message: clean(textOf(partial, 2)) }
}
