/** A point as a server reads it. Integers are bigints. */
export interface Point {
  readonly measurement: string
  readonly tags: ReadonlyMap<string, string>
  readonly fields: ReadonlyMap<string, string | number | bigint | boolean>
  readonly time: string
}

/** Reads InfluxDB's line protocol byte by byte. @throws {Error} on what is not that */
export function readLines(text: string): Point[] {
  const points: Point[] = []
  let at = 0

  const plain = (ends: string): string => {
    let found = ''
    while (at < text.length && !ends.includes(text[at] as string)) {
      if (text[at] === '\n') throw new Error(`line break in a name at ${at}`)
      if (text[at] === '\\' && ',= '.includes(text[at + 1] ?? 'x')) at++
      found += text[at++]
    }
    return found
  }
  const quoted = (): string => {
    let found = ''
    for (at++; text[at] !== '"'; at++) {
      if (at >= text.length) throw new Error('a string that does not end')
      if (text[at] === '\\' && '"\\'.includes(text[at + 1] ?? 'x')) at++
      found += text[at]
    }
    at++
    return found
  }
  const fieldValue = (): string | number | bigint | boolean => {
    if (text[at] === '"') return quoted()
    const word = plain(', \n')
    if (word === 'true' || word === 'false') return word === 'true'
    if (/^-?\d+i$/.test(word)) return BigInt(word.slice(0, -1))
    if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(word)) throw new Error(`no value: ${word}`)
    return Number(word)
  }
  const unique = <V>(map: Map<string, V>, key: string, value: V): void => {
    if (map.has(key) || key === '') throw new Error(`twice, or empty: ${key}`)
    map.set(key, value)
  }

  while (at < text.length) {
    const measurement = plain(', ')
    const [tags, fields] = [new Map<string, string>(), new Map<string, string | number | bigint | boolean>()]
    while (text[at] === ',') {
      at++
      const key = plain('=')
      at++
      unique(tags, key, plain(', '))
    }
    do {
      at++
      const key = plain('=')
      at++
      unique(fields, key, fieldValue())
    } while (text[at] === ',')
    const time = /^ (\d+)\n/.exec(text.slice(at, at + 40))
    if (time === null) throw new Error(`no time at ${at}: ${text.slice(at, at + 40)}`)
    at += time[0].length
    points.push({ measurement, tags, fields, time: time[1] as string })
  }
  return points
}
