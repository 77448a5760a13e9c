/** hpack-test-case: every story of every encoder, and the same stories by one who joins late or misses a block. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import { HPACK_OK } from '../../../wasm/hpack-contract.ts'
import { needsCorpus } from '../testing/corpora.ts'
import { hpackStories } from '../testing/hpack-stories.ts'
import type { Story, StoryCase } from '../testing/hpack-stories.ts'
import { headFields } from './testing/head-fields.ts'
import { HpackDecoder, HpackTable } from './hpack-decoder.ts'

const memory = new ByteMemory()
const decoder = new HpackDecoder(memory)
const input = memory.reserve(1 << 20)

interface Decoded {
  readonly fields: [string, string][]
  readonly unknown: number
}

function decode(table: HpackTable, { wire }: StoryCase): Decoded {
  memory.write(input, wire)
  // What lies behind a block must not matter.
  memory.u8.fill(0xff, input + wire.length, input + wire.length + 32)
  assert.equal(table.decode(input, wire.length), HPACK_OK)
  const decoded = { fields: headFields(memory, decoder.block), unknown: decoder.unknown }
  decoder.free(decoder.block)
  return decoded
}

/** In the order in which they are shown: pseudo-headers have their own places. */
function shown(fields: StoryCase['fields']): [string, string][] {
  const order = [':method', ':path', ':status', ':authority', ':scheme']
  const isPseudo = ([name]: readonly [string, string]): boolean => order.includes(name)
  return [
    ...fields.filter(isPseudo).toSorted((left, right) => order.indexOf(left[0]) - order.indexOf(right[0])),
    ...fields.filter((field) => !isPseudo(field)),
  ].map(([name, value]) => [name, value])
}

function announce(table: HpackTable, { tableSize }: StoryCase): void {
  if (tableSize !== undefined) table.announce(tableSize)
}

/** Every field that was resolved stands in the truth, in its order; those left out are counted. */
function assertNothingWrong(decoded: Decoded, truth: StoryCase, place: string): number {
  const left = shown(truth.fields)
  for (const field of decoded.fields) {
    const at = left.findIndex(([name, value]) => name === field[0] && value === field[1])
    assert.notEqual(at, -1, `${place}: ${field.join(': ')} was never sent, or not in this place`)
    left.splice(0, at + 1)
  }
  assert.equal(decoded.fields.length + decoded.unknown, truth.fields.length, place)
  return decoded.fields.length
}

function each(stories: readonly Story[], run: (story: Story, table: (isNew: boolean) => HpackTable) => void): void {
  for (const story of stories) {
    const tables: HpackTable[] = []
    run(story, (isNew) => {
      const table = new HpackTable(decoder, isNew)
      tables.push(table)
      return table
    })
    for (const table of tables) table.close()
    assert.equal(memory.allocator.allocatedBytes(), 0, `${story.encoder} ${story.name}`)
  }
}

test('every story of every encoder is decoded to the byte', needsCorpus('hpack-test-case'), (t) => {
  const stories = hpackStories()
  let cases = 0
  each(stories, (story, open) => {
    const table = open(true)
    for (const [index, item] of story.cases.entries()) {
      announce(table, item)
      const { fields, unknown } = decode(table, item)
      assert.deepEqual(fields, shown(item.fields), `${story.encoder} ${story.name} ${index}`)
      assert.equal(unknown, 0)
      assert.equal(decoder.flags, 0)
      cases++
    }
  })
  const encoders = new Set(stories.map(({ encoder }) => encoder))
  assert.ok(stories.length > 300 && encoders.size > 8, `${stories.length} stories of ${encoders.size} encoders`)
  t.diagnostic(`${cases} blocks of ${stories.length} stories of ${encoders.size} encoders`)
})

test('a table joined late at any block shows no wrong value', needsCorpus('hpack-test-case'), (t) => {
  let resolved = 0
  let all = 0
  each(hpackStories(), (story, open) => {
    for (let from = 1; from < story.cases.length; from += 1 + (from >> 2)) {
      const table = open(false)
      for (const [index, item] of story.cases.slice(from).entries()) {
        resolved += assertNothingWrong(decode(table, item), item, `${story.encoder} ${story.name} ${from}+${index}`)
        all += item.fields.length
        if (index > 60) break
      }
      table.close()
    }
  })
  assert.ok(resolved > all / 2)
  t.diagnostic(`${resolved} of ${all} fields resolved (${(100 * resolved / all).toFixed(1)} %), none wrong`)
})

test('a block missed anywhere makes no later value wrong', needsCorpus('hpack-test-case'), (t) => {
  let resolved = 0
  let all = 0
  each(hpackStories(), (story, open) => {
    for (let missed = 0; missed < story.cases.length; missed += 1 + (missed >> 1)) {
      const table = open(true)
      for (const [index, item] of story.cases.slice(0, missed + 40).entries()) {
        announce(table, item)
        if (index === missed) table.lose()
        else {
          const count = assertNothingWrong(decode(table, item), item, `${story.encoder} ${story.name}, ${missed} missed, ${index}`)
          if (index < missed) continue
          resolved += count
          all += item.fields.length
        }
      }
      table.close()
    }
  })
  t.diagnostic(`${resolved} of ${all} fields resolved (${(100 * resolved / all).toFixed(1)} %), none wrong`)
})
