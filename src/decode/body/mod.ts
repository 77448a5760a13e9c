/**
 * body: a few members out of the JSON bodies of exchanges that were asked for (capture.body_fields).
 *
 * In    the heads of requests and responses, and their bodies' bytes, framing taken off, as HTTP/1 and HTTP/2 give them.
 * Out   findings: the model, counts of tokens, what API it is. Nothing else of a body leaves this folder, nor is any of it kept.
 * Drops everything else; what could not be read is told with its reason.
 * Limits REQUEST_BYTES_MAX and RESPONSE_BYTES_MAX of a body are read (body-fields.ts); of compressed ones CODED_BYTES_MAX are held until
 *       the end, and PLAIN_BYTES_MAX of what comes out are read (coded-body.ts); 256 bytes of a text.
 *
 * @module
 */
export { BodyFields } from './body-fields.ts'
export type { BodyRule } from './body-fields.ts'
export type { BodyFindings, BodyReader, Unread } from './body-reader.ts'
export type { GenAiApi } from './gen-ai-api.ts'
