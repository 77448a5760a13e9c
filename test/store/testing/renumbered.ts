/** Lines numbered anew, as the records of one run are: each is told apart by its event.sequence. */
export function renumbered(lines: readonly string[]): readonly string[] {
  return lines.map((line, index) => {
    const record = JSON.parse(line) as { event?: object }
    return JSON.stringify({ ...record, event: { ...record.event, sequence: index } })
  })
}
