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
  readonly isBroken: boolean
}

/** @param samples after the warm-up, `secondsApart` from each other */
export function growthOf(samples: readonly Sample[], secondsApart: number, bound: GrowthBound): Growth {
  const values = samples.map((sample) => sample.get(bound.name) ?? NaN)
  const slopes: number[] = []
  for (let one = 0; one < values.length; one++) {
    for (let other = one + 1; other < values.length; other++) slopes.push((values[other]! - values[one]!) / (other - one))
  }
  slopes.sort((left, right) => left - right)
  const grewPerHour = (slopes[slopes.length >>> 1] ?? 0) * 3600 / secondsApart
  return {
    ...bound, least: Math.min(...values), most: Math.max(...values), last: values.at(-1) ?? NaN, grewPerHour,
    isBroken: !(grewPerHour <= bound.perHour),
  }
}
