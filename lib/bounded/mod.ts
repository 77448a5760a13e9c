/**
 * bounded: maps that never grow over a bound.
 *
 * In    a `Map`, whose order is that of putting in.
 * Out   room for one more entry: the one that was put in first goes.
 *
 * @module
 */

/**
 * Before an entry is added to a map that may have `sizeMax` of them.
 *
 * @returns whether the first had to go, for whoever counts what the bound costs
 */
export function makeRoom<Key>(map: Map<Key, unknown>, sizeMax: number): boolean {
  if (map.size < sizeMax) return false
  for (const first of map.keys()) return map.delete(first)
  return false // a bound of 0 on an empty map
}
