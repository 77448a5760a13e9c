/**
 * nearest: the name that somebody most likely meant.
 *
 * In    what was written, and the names that exist.
 * Out   the nearest of them when it is near enough to be worth a suggestion.
 *
 * @module
 */
export { nearest } from './nearest.ts'
