/**
 * http: what the outputs that speak HTTP have in common.
 *
 * In    options that are checked: address, credentials by their source, certificates, proxy, compression.
 * Out   POSTs and what their answers mean for a batch.
 *
 * @module
 */
export { connectionTrouble } from './connection-trouble.ts'
export { answerOf, jsonObject, oddAnswer, orNoAnswer, retryAfterMs } from './http-answer.ts'
export { gzipSchema, httpOptions, tlsFiles, tlsSchema } from './http-options.ts'
export type { HttpConfig, TlsConfig } from './http-options.ts'
export { readSecret, Redaction, secretSchema } from './secret.ts'
export type { SecretSource } from './secret.ts'
export { Transport } from './transport.ts'
export type { Reply } from './transport.ts'
