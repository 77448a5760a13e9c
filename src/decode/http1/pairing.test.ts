import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { Side } from '../../connection/mod.ts'
import { makeConversation, randomFrom } from '../testing/conversation.ts'
import type { Habit, Segment } from '../testing/conversation.ts'
import { MessageRecorder } from '../testing/message-recorder.ts'
import { TestConnection } from '../testing/test-connection.ts'
import { HeadScanner } from './head-scanner.ts'
import { Http1Connection } from './http1-connection.ts'
import { OUTSTANDING_MAX, Pairing } from './pairing.ts'

const memory = new ByteMemory()
const scanner = new HeadScanner(memory)
const input = TestConnection.reserveInput(memory)

/** When a hole becomes known: at the side's next segment, at the next segment of any side, or at once. */
type Notice = 'late' | 'acknowledged' | 'at once'
const NOTICES: readonly Notice[] = ['late', 'acknowledged', 'at once']

interface Judged { right: number; wrong: number; requests: number }

/** Plays a conversation, leaves out the segments for which `isLost` says so, and judges every pair. */
function play(segments: readonly Segment[], notice: Notice, isLost: (index: number) => boolean, fromStart = true): Judged {
  const connection = new TestConnection(memory, input, fromStart ? {} : { fromStart, client: undefined })
  const recorder = new MessageRecorder(memory)
  connection.use(new Http1Connection({ memory, scanner, control: connection, sink: recorder }))
  const holes: [number, number] = [0, 0]
  let time = 0
  const tell = (side: Side): void => {
    if (holes[side] > 0) connection.lose(side, holes[side], time)
    holes[side] = 0
  }
  segments.forEach(({ side, text }, index) => {
    time++
    const other: Side = side === 0 ? 1 : 0
    if (isLost(index)) {
      holes[side] += text.length
      if (notice === 'at once') tell(side)
      return
    }
    tell(side)
    if (notice === 'acknowledged') tell(other)
    connection.send(side, Buffer.from(text, 'latin1'), time, holes[other])
  })
  tell(0)
  tell(1)
  connection.close(++time)
  const judged = { right: 0, wrong: 0, requests: recorder.requests.length }
  const answers = new Map(recorder.responses.map((response) => [response.exchange, response]))
  for (const request of recorder.requests) {
    const id = answers.get(request.exchange)?.fields.find(([name]) => name === 'X-Id')?.[1]
    if (id === undefined) continue
    if (request.target === `/${id}`) judged.right++
    else judged.wrong++
  }
  return judged
}

for (const habit of ['waits', 'batches', 'packs', 'slides'] as const satisfies readonly Habit[]) {
  test(`without loss every exchange of a client that ${habit} is paired`, () => {
    const random = randomFrom(7)
    for (let round = 0; round < 20; round++) {
      const segments = makeConversation({ habit, exchanges: 20, segmentBytes: 100 + Math.floor(random() * 1300), random })
      assert.deepEqual(play(segments, 'late', () => false), { right: 20, wrong: 0, requests: 20 })
    }
  })
}

for (const habit of ['waits', 'batches', 'packs'] as const satisfies readonly Habit[]) {
  test(`whatever segments are lost, no pair of a client that ${habit} is wrong`, () => {
    const random = randomFrom(42)
    for (const notice of NOTICES) {
      for (const loss of [0.01, 0.05, 0.2, 0.5]) {
        for (let round = 0; round < 40; round++) {
          const segments = makeConversation({ habit, exchanges: 20, segmentBytes: random() < 0.5 ? 400 : 1400, random })
          const judged = play(segments, notice, () => random() < loss)
          assert.equal(judged.wrong, 0, `${notice}, loss ${loss}, round ${round}`)
        }
      }
    }
  })

  test(`with any one or two segments lost, no pair of a client that ${habit} is wrong`, () => {
    const random = randomFrom(99)
    for (const notice of NOTICES) {
      for (let round = 0; round < 4; round++) {
        const segments = makeConversation({ habit, exchanges: 8, segmentBytes: 1400, random })
        for (let first = 0; first < segments.length; first++) {
          for (let second = first; second < Math.min(segments.length, first + 5); second++) {
            const judged = play(segments, notice, (index) => index === first || index === second)
            assert.equal(judged.wrong, 0, `${notice}, segments ${first} and ${second}`)
          }
        }
      }
    }
  })
}

test('any one segment lost costs a sliding window its pairs, never a wrong one', () => {
  const random = randomFrom(5)
  for (const notice of NOTICES) {
    for (let round = 0; round < 10; round++) {
      const segments = makeConversation({ habit: 'slides', exchanges: 10, segmentBytes: 1400, random })
      for (let lost = 0; lost < segments.length; lost++) {
        assert.equal(play(segments, notice, (index) => index === lost).wrong, 0, `${notice}, segment ${lost}`)
      }
    }
  }
})

test('a client that waits loses two pairs at most to one lost segment, once it has a history', () => {
  const random = randomFrom(3)
  for (const notice of NOTICES) {
    const segments = makeConversation({ habit: 'waits', exchanges: 20, segmentBytes: 1400, random })
    const settled = segments.findIndex(({ text }) => text.includes(' /6 '))
    for (let lost = settled; lost < segments.length; lost++) {
      const { right } = play(segments, notice, (index) => index === lost)
      assert.ok(right >= 17, `${notice}, segment ${lost}: ${right} of 20 pairs`)
    }
  }
})

test('a connection joined mid-way is paired from its first request on', () => {
  const random = randomFrom(11)
  for (let round = 0; round < 20; round++) {
    const segments = makeConversation({ habit: 'waits', exchanges: 10, segmentBytes: 700, random })
    for (let from = 0; from < segments.length; from++) {
      const judged = play(segments.slice(from), 'late', () => false, false)
      assert.equal(judged.wrong, 0)
      assert.ok(judged.right >= judged.requests - 1, `from segment ${from}: ${judged.right} of ${judged.requests}`)
    }
  }
})

/** A Pairing with the exchanges it gave up. */
function pairing(fromStart = true): { pairing: Pairing; givenUp: number[] } {
  const givenUp: number[] = []
  return { pairing: new Pairing({ fromStart, giveUp: (exchange) => givenUp.push(exchange) }), givenUp }
}

test('over the bound the oldest request is given up and its response gets a number of its own', () => {
  const { pairing: it, givenUp } = pairing()
  for (let index = 1; index <= OUTSTANDING_MAX; index++) assert.equal(it.request(0, false, false).overBound, false)
  assert.equal(it.request(0, false, false).overBound, true)
  assert.deepEqual(givenUp, [1])
  const late = it.response(false, false)
  assert.equal(late.exchange, OUTSTANDING_MAX + 2)
  assert.equal(late.unasked, false)
  it.responseOver(false)
  assert.equal(it.response(false, false).exchange, 2)
})

test('a response that nothing waits for takes no later request with it', () => {
  const { pairing: it } = pairing()
  assert.equal(it.response(false, true).unasked, true)
  it.responseOver(false)
  const { exchange, paired } = it.request(0, false, true)
  assert.ok(paired)
  assert.equal(it.response(false, true).exchange, exchange)
})

test('out of step, a request whose turn is not proven is not paired, nor by a response that is not exact', () => {
  const { pairing: it, givenUp } = pairing(false)
  assert.equal(it.request(0, false, false).paired, false)
  it.response(false, true)
  it.responseOver(false)
  const next = it.request(0, false, true)
  assert.ok(next.paired)
  assert.notEqual(it.response(false, false).exchange, next.exchange)
  assert.deepEqual(givenUp, [next.exchange])
})

test('requests that wait when the client is lost keep their responses; later ones have none', () => {
  const { pairing: it } = pairing()
  const first = it.request(0, false, false)
  it.clientLost()
  const later = it.request(0, false, true)
  assert.equal(later.paired, false)
  assert.equal(it.response(false, false).exchange, first.exchange)
  it.responseOver(false)
  const second = it.response(false, true)
  assert.ok(second.exchange !== later.exchange && second.exchange !== first.exchange)
})

test('what waits by proof alone is given up when the client is lost', () => {
  const { pairing: it, givenUp } = pairing(false)
  const { exchange, paired } = it.request(0, false, true)
  assert.ok(paired)
  it.clientLost()
  assert.deepEqual(givenUp, [exchange])
  assert.notEqual(it.response(false, true).exchange, exchange)
})

test('when the server is lost every waiting request is given up', () => {
  const { pairing: it, givenUp } = pairing()
  it.request(0, false, false)
  it.request(0, false, false)
  it.serverLost()
  assert.deepEqual(givenUp, [1, 2])
  assert.ok(it.response(false, true).exchange > 2)
})

test('interim responses of an unknown request share the number of the final one', () => {
  const { pairing: it } = pairing(false)
  const interim = it.response(true, true)
  it.responseOver(true)
  assert.equal(it.response(false, true).exchange, interim.exchange)
})

test('back in step, the response must be the very next thing that the server sends', () => {
  const { pairing: it, givenUp } = pairing(false)
  assert.ok(it.request(0, false, true).paired)
  it.serverDropped()
  assert.deepEqual(givenUp, [1])
  assert.notEqual(it.response(false, true).exchange, 1)
})

test('a second request while one waits by proof alone shows a pipeline: neither is paired, nor any later one', () => {
  const { pairing: it, givenUp } = pairing(false)
  assert.ok(it.request(0, false, true).paired)
  assert.equal(it.request(0, false, true).paired, false)
  assert.deepEqual(givenUp, [1])
  for (let count = 0; count < 2; count++) {
    it.response(false, true)
    it.responseOver(false)
  }
  assert.equal(it.request(0, false, true).paired, false)
})

test('a client that was seen to pipeline is not paired again after a loss', () => {
  const ways: readonly ((it: Pairing) => void)[] = [
    (it) => { it.request(0, false, false); it.request(0, true, false) },
    (it) => { it.request(0, false, false); it.answeredTwice() },
    () => {},
  ]
  ways.forEach((pipeline, index) => {
    const { pairing: it } = pairing()
    pipeline(it)
    it.serverLost()
    it.response(false, true)
    it.responseOver(false)
    assert.equal(it.request(0, false, true).paired, index === 2)
  })
})

test('where the first byte of the server may be missing, only a sole request is answered, by proof', () => {
  for (const [requests, isExact, isPaired] of [[1, true, true], [1, false, false], [2, true, false]] as const) {
    const { pairing: it } = pairing()
    for (let count = 0; count < requests; count++) it.request(0, false, false)
    it.serverUncertain()
    assert.equal(it.response(false, isExact).exchange === 1, isPaired)
  }
})

test('between an interim response and its final one no request is taken for the one it answers', () => {
  const { pairing: it } = pairing(false)
  it.response(true, true)
  it.responseOver(true)
  assert.equal(it.request(0, false, true).paired, false)
})

test('no block is left', () => {
  assert.equal(memory.allocator.allocatedBytes(), 0)
})
