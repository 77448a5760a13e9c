import { run } from './process.ts'

/** A scrape of the agent's figures by curl: sample name with its labels, as written, to value. */
export class Metrics {
  readonly samples: ReadonlyMap<string, number>

  private constructor(samples: ReadonlyMap<string, number>) {
    this.samples = samples
  }

  static async scrape(address: string): Promise<Metrics> {
    const text = await run('curl', ['-sf', `http://${address}/metrics`])
    const samples = new Map<string, number>()
    for (const line of text.split('\n')) {
      if (line === '' || line.startsWith('#')) continue
      const space = line.lastIndexOf(' ')
      samples.set(line.slice(0, space), Number(line.slice(space + 1)))
    }
    return new Metrics(samples)
  }

  /** Of one sample; an error when it is not there. */
  get(sample: string): number {
    const value = this.samples.get(sample)
    if (value === undefined) throw new Error(`There is no sample ${sample} among ${[...this.samples.keys()].join(' ')}`)
    return value
  }

  /** Sum over all samples of a family. */
  sum(family: string): number {
    let total = 0
    for (const [name, value] of this.samples) if (name === family || name.startsWith(`${family}{`)) total += value
    return total
  }
}
