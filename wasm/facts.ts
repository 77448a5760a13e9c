/** Entries of a facts block (layout.ts), which have passed the wall already, as part of the record that is being written. */
import { copyOver } from './copy'
import { ENTRY_FIELD, ENTRY_FLAGS, ENTRY_LENGTH, ENTRY_PAYLOAD, ENTRY_TYPE, FACTS_SAFE, RECORD_COUNT, RECORD_ENTRIES,
} from './layout'
import { closeEntry, openEntry, wants } from './record'

/** Copies the chosen entries of `facts` (0 = none) to the place that the record has come to: all their ids lie there. */
export function putFacts(facts: usize): void {
  if (facts == 0) return
  const record = <usize>load<u32>(facts, FACTS_SAFE)
  if (record == 0) return
  let entry = record + RECORD_ENTRIES
  for (let left = <u32>load<u16>(record, RECORD_COUNT); left > 0; left--) {
    const field = <u32>load<u16>(entry, ENTRY_FIELD)
    const length = load<u32>(entry, ENTRY_LENGTH)
    if (wants(field)) {
      const payload = openEntry(field, load<u8>(entry, ENTRY_TYPE), length)
      if (payload == 0) return
      copyOver(payload, entry + ENTRY_PAYLOAD, length)
      closeEntry(length, load<u8>(entry, ENTRY_FLAGS))
    }
    entry += ENTRY_PAYLOAD + ((length + 7) & ~7)
  }
}
