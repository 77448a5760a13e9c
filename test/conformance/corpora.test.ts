/**
 * The log of every third-party capture held against what other tools say of it.
 *
 * Where the witnesses agree, the log must say the same: the same requests, responses and pairs, and the same headers as far
 * as a witness gives them. Where one is wrong, `rulings.ts` says so once, with its reason. What we do differently is in
 * `differences.ts`. Both lists are exact: an entry that no longer holds fails the test, as does a difference without one.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { DIFFERENCES } from './differences.ts'
import { RULINGS } from './rulings.ts'
import type { Ruling } from './rulings.ts'
import { WRONG_PAIR } from './testing/compare.ts'
import { CORPORA, folderOf, hasCorpora, truthRows } from './testing/corpora.ts'
import { lintelObservation } from './testing/lintel-observation.ts'
import { replayBatch } from './testing/replay-batch.ts'
import type { Observation } from './testing/observation.ts'
import { Witnesses } from './testing/witness.ts'
import type { Witness } from './testing/witness.ts'

interface Tally {
  files: number
  /** Files in which anybody saw HTTP/1. */
  http: number
  /** Of those, files whose witnesses agree and none of them had to be overruled. */
  agreed: number
  /** Of those, files of which the log says the same as every witness. */
  same: number
  different: number
  requests: number
  responses: number
  pairs: number
}

interface Finding {
  readonly file: string
  readonly witness: string
  readonly differences: readonly string[]
}

interface Comparison {
  readonly tallies: Map<string, Tally>
  readonly findings: Finding[]
  readonly faults: string[]
  readonly excluded: ReadonlyMap<string, number>
}

const PRINTED = ['zeek-btest', 'packetbeat', 'ndpi', 'gopacket', 'pcapplusplus', 'ptcpdump', 'ja4', 'community-id', 'tcpdump']

async function compareAll(): Promise<Comparison> {
  const witnesses = new Witnesses()
  const tallies = new Map<string, Tally>()
  const findings: Finding[] = []
  const faults: string[] = []
  const rows = truthRows()
  let index = 0
  for await (const { job, result, thrown } of replayBatch(rows.map((row) => ({ path: `${CORPORA}/${row.file}` })))) {
    const row = rows[index++]!
    if (result === undefined) {
      faults.push(`${job.path}: ${thrown}`)
      continue
    }
    const ours = lintelObservation(result.records)
    const all = witnesses.of(row, ours)
    const found = all
      .map((witness): Finding => ({ file: row.file, witness: witness.name, differences: witness.against(ours) }))
    const differing = found.filter(({ differences }) => differences.length > 0)
    findings.push(...differing)
    const isHttp = ours.size > 0 || differing.length > 0
    count(tallies, row.file, isHttp, differing, ours, doAgree(all))
  }
  return { tallies, findings, faults, excluded: witnesses.excluded }
}

/** Whether no two witnesses contradict each other. */
function doAgree(witnesses: readonly Witness[]): boolean {
  return witnesses.every((one) => witnesses.every((other) =>
    one === other || other.observation === undefined || one.against(other.observation).length === 0))
}

function count(tallies: Map<string, Tally>, file: string, isHttp: boolean, differing: readonly Finding[],
  ours: Observation, doWitnessesAgree: boolean): void {
  const folder = folderOf(file)
  const tally = tallies.get(folder) ?? { files: 0, http: 0, agreed: 0, same: 0, different: 0, requests: 0, responses: 0, pairs: 0 }
  tallies.set(folder, tally)
  tally.files++
  if (!isHttp) return
  tally.http++
  for (const { requests, responses } of ours.values()) {
    tally.requests += requests.length
    tally.responses += responses.length
    tally.pairs += requests.filter(({ answer }) => answer >= 0).length
  }
  const isOverruled = differing.length > 0 && differing.every((finding) => listed(RULINGS, finding) !== undefined)
  if (isOverruled || !doWitnessesAgree) return
  tally.agreed++
  if (differing.length === 0) tally.same++
  else tally.different++
}

function listed(list: readonly Ruling[], { file, witness }: Finding): Ruling | undefined {
  return list.find((entry) => entry.file === file && entry.witnesses.includes(witness))
}

/** What the lists do not say, and what they say and is not so. */
function unexpected(findings: readonly Finding[]): string[] {
  const faults: string[] = []
  for (const finding of findings) {
    const entry = listed(RULINGS, finding) ?? listed(DIFFERENCES, finding)
    const known = entry?.differences ?? []
    for (const difference of finding.differences) {
      if (!known.includes(difference)) faults.push(`not listed: ${finding.file}, ${finding.witness}: ${difference}`)
    }
    for (const difference of known) {
      if (!finding.differences.includes(difference)) faults.push(`listed, but gone: ${finding.file}, ${finding.witness}: ${difference}`)
    }
  }
  for (const { file, witnesses } of [...RULINGS, ...DIFFERENCES]) {
    for (const witness of witnesses) {
      if (!findings.some((finding) => finding.file === file && finding.witness === witness)) faults.push(`listed, but gone: ${file}, ${witness}`)
    }
  }
  return faults
}

function print(context: TestContext, { tallies, excluded }: Comparison): void {
  for (const folder of PRINTED) {
    const tally = tallies.get(folder)
    if (tally === undefined) continue
    const { files, http, agreed, same, different, requests, responses, pairs } = tally
    context.diagnostic(`${folder}: ${files} files, ${http} with HTTP/1, ${agreed} agreed, ${same} same, ${different} different; `
      + `${requests} requests, ${responses} responses, ${pairs} pairs`)
  }
  for (const [rule, messages] of excluded) context.diagnostic(`left out, ${rule}: ${messages} messages of tshark`)
}

let comparison: Promise<Comparison> | undefined

test('every capture says the same as its witnesses, the listed differences aside', async (context) => {
  if (!hasCorpora(context)) return
  comparison ??= compareAll()
  const { faults, findings } = await comparison
  print(context, await comparison)
  assert.deepEqual(faults, [])
  assert.deepEqual(unexpected(findings), [])
})

test('no response is attached to another request than a witness says', async (context) => {
  if (!hasCorpora(context)) return
  comparison ??= compareAll()
  const { findings } = await comparison
  const wrong = findings.flatMap(({ file, witness, differences }) =>
    differences.filter((difference) => difference.includes(WRONG_PAIR)).map((difference) => `${file}, ${witness}: ${difference}`))
  assert.deepEqual(wrong, [])
})

test('each list names a file and a witness once, and says why', () => {
  const names = [...RULINGS, ...DIFFERENCES].flatMap(({ file, witnesses }) => witnesses.map((witness) => `${file}, ${witness}`))
  assert.deepEqual(names.filter((name, place) => names.indexOf(name) !== place), [])
  for (const { file, why, says } of [...RULINGS, ...DIFFERENCES]) assert.ok(why.length > 20 && says.length > 5, file)
})
