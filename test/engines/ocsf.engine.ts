/** Records of all corpora, and hostile ones, as events of OCSF: against its own schema, and back to what they were made of. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { exchanges } from '../../src/sink/exporters/exporter.suite.ts'
import { OCSF_VERSION, ocsfBody } from '../../src/sink/exporters/ocsf-body.ts'
import { recordOf } from '../../src/sink/exporters/testing/ocsf-record.ts'
import { hasCorpora } from '../conformance/testing/corpora.ts'
import { corpusLines } from '../store/testing/corpus-lines.ts'
import { engine } from './testing/engine-folder.ts'

test('every record is an event that fits the schema of its class, and holds all of the record', async context => {
  if (!hasCorpora(context)) return
  const hostile = Buffer.from(exchanges(0, 1).bytes).toString().trimEnd().split('\n')
  const lines = [...hostile, ...await corpusLines()]
  const events = lines.map((line, index) => ocsfBody({ id: `0123456789abcdef-${index}`, line: Buffer.from(line) }, 6).toString())
  for (const [index, event] of events.entries()) {
    assert.deepEqual(recordOf(JSON.parse(event) as Record<string, unknown>), JSON.parse(lines[index] as string), lines[index])
  }
  const script = fileURLToPath(new URL('ocsf/validate.py', import.meta.url))
  const output = execFileSync('python3', [script, engine('ocsf'), OCSF_VERSION], { input: `${events.join('\n')}\n`, encoding: 'utf8' }).trimEnd()
  const told = JSON.parse(output.split('\n').at(-1) as string) as { events: number, bad: number, classes: number[] }
  context.diagnostic(JSON.stringify(told))
  assert.equal(told.bad, 0, output)
  assert.equal(told.events, lines.length)
  assert.deepEqual(told.classes, [0, 4001, 4002])
})
