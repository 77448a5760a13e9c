/**
 * connection: packet events → two ordered byte streams per connection.
 *
 * @module
 */
export { END, GAP } from './stream.ts'
export type { End, Gap, Side, StreamControl, StreamHandler } from './stream.ts'
