/** One minute's figures, by name. */
export type Sample = ReadonlyMap<string, number>

/** The most that a figure may grow an hour once warm. */
export interface GrowthBound { readonly name: string; readonly perHour: number; readonly unit: string }

export interface Growth extends GrowthBound {
  readonly least: number
  readonly most: number
  readonly last: number
  /** By the median of the slopes between all pairs of samples (Theil and Sen): a single outlier does not move it. */
  readonly grewPerHour: number
  /** What it grew by with 97.5 % certainty: the lower limit of that median (Sen 1968), which noise alone seldom exceeds. */
  readonly grewPerHourAtLeast: number
  readonly isBroken: boolean
}

/** Of each sample: when it was taken. */
export const SECONDS = 'seconds'
/** Of the normal distribution: 2.5 % are beyond. */
const DEVIATIONS = 1.96

/** @param samples after the warm-up, each with `SECONDS` */
export function growthOf(samples: readonly Sample[], bound: GrowthBound): Growth {
  const values = samples.map((sample) => sample.get(bound.name) ?? NaN)
  const hours = samples.map((sample) => (sample.get(SECONDS) ?? NaN) / 3600)
  const slopes: number[] = []
  for (let one = 0; one < values.length; one++) {
    for (let other = one + 1; other < values.length; other++) slopes.push((values[other]! - values[one]!) / (hours[other]! - hours[one]!))
  }
  slopes.sort((left, right) => left - right)
  const { length } = values
  const margin = DEVIATIONS * Math.sqrt(length * (length - 1) * (2 * length + 5) / 18)
  const grewPerHour = slopes[slopes.length >>> 1] ?? NaN
  const grewPerHourAtLeast = slopes[Math.max(0, Math.floor((slopes.length - margin) / 2))] ?? NaN
  return {
    ...bound, least: Math.min(...values), most: Math.max(...values), last: values.at(-1) ?? NaN, grewPerHour, grewPerHourAtLeast,
    isBroken: !(grewPerHourAtLeast <= bound.perHour),
  }
}
