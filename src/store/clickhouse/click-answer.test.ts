import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonText } from '../plain-value.ts'
import { readAnswer } from './click-answer.ts'

const HEAD = '["n","t","m","f","x"]\n["UInt64","DateTime64(9, \'UTC\')","Map(LowCardinality(String), Array(Nullable(Int64)))","Float64","Tuple(a Nullable(String), b Array(UInt8))"]\n'
const ROW = '["18446744073709551615","2026-01-31T12:00:00.123456789Z",[["b",["1",null]],["1",[]]],"nan",[null,[1,2]]]\n'

/** In pieces of so many bytes. */
async function* cut(text: string, bytes: number): AsyncGenerator<Buffer> {
  const all = Buffer.from(text)
  for (let at = 0; at < all.length; at += bytes) yield all.subarray(at, at + bytes)
}

async function read(text: string, bytes = 7): Promise<string[]> {
  const { names, rows } = await readAnswer(cut(text, bytes), said => said)
  const found = [names.join()]
  for await (const piece of rows) found.push(...piece.map(row => jsonText(row)))
  return found
}

test('whole numbers keep their digits, maps their order, however the answer is cut', async () => {
  const wanted = ['n,t,m,f,x', '[18446744073709551615,"2026-01-31T12:00:00.123456789Z",{"b":[1,null],"1":[]},"nan",[null,[1,2]]]']
  for (const bytes of [1, 2, 3, 50, 10_000]) assert.deepEqual(await read(HEAD + ROW, bytes), wanted)
  assert.deepEqual(await read(HEAD + ROW.trimEnd()), wanted)
  assert.equal((await read(HEAD + ROW.repeat(3000), 4096)).length, 3001)
})

test('what breaks off, or is no answer, is no end', async () => {
  await assert.rejects(read(`${HEAD}${ROW}\r\n__exception__\r\ntag\r\nCode: 241. DB::Exception: Memory limit exceeded\n`), /Cannot finish the query: .*__exception__.*Code: 241/s)
  await assert.rejects(read(HEAD + ROW.slice(0, 40)), /Cannot finish the query: \["18446744073709551615"/)
  await assert.rejects(read(`${HEAD}["1"]\n`), /Cannot finish the query/)
  for (const text of ['', 'Ok.\n', '{"a":1}\n', '["n"]\n']) await assert.rejects(read(text), /Cannot read the answer .*is it no ClickHouse\?/)
})
