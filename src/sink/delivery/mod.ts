/**
 * delivery: records from a spool to a server that may be slow, refuse some, or be gone.
 *
 * In    `SafeBatch`, into a spool (../spool).
 * Out   batches by an `Exporter`, in order, at least once; what a server refuses for good to the dead-letter file.
 * Drops what the spool drops; refused records when the dead-letter file is full; both counted.
 *
 * @module
 */
export { deliveryOptions } from './delivery-options.ts'
export type { DeliveryConfig } from './delivery-options.ts'
export type { Again, Answer, Exporter, Hindrance, Refusal, Unnamed } from './exporter.ts'
export { NetworkSink } from './network-sink.ts'
export type { ExporterTools, HttpClient, OwnExporter } from './own-exporter.ts'
export { pause } from './pause.ts'
export { timeMs, timeNanoseconds, timeText } from './record-time.ts'
