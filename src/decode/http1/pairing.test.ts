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
    if (isLost(index)) {
      holes[side] += text.length
      if (notice === 'at once') tell(side)
      return
    }
    tell(side)
    if (notice === 'acknowledged') tell(side === 0 ? 1 : 0)
    connection.send(side, Buffer.from(text, 'latin1'), time)
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

test('a client that asks again before its first answer after a join pipelines: nothing of it is paired', () => {
  const given: number[] = []
  const pairing = new Pairing({ fromStart: false, giveUp: (exchange) => { given.push(exchange) } })
  const first = pairing.request(1, 1, false)
  const second = pairing.request(2, 1, false)
  assert.deepEqual(given, [first.exchange])
  const answers = [3, 4, 5].map((time) => {
    const answer = pairing.response(time, false)
    pairing.responseOver(time, false)
    return answer.exchange
  })
  assert.ok(!answers.includes(first.exchange) && !answers.includes(second.exchange))
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
  for (let index = 1; index <= OUTSTANDING_MAX; index++) assert.equal(it.request(index, 0, false).overBound, false)
  assert.equal(it.request(2000, 0, false).overBound, true)
  assert.deepEqual(givenUp, [1])
  const late = it.response(3000, false)
  assert.equal(late.exchange, OUTSTANDING_MAX + 2)
  assert.equal(late.unasked, false)
  it.responseOver(3001, false)
  assert.equal(it.response(3002, false).exchange, 2)
})

test('a response that nothing waits for takes no later request with it', () => {
  const { pairing: it } = pairing()
  const unasked = it.response(1, false)
  assert.equal(unasked.unasked, true)
  it.responseOver(2, false)
  const { exchange, paired } = it.request(3, 0, false)
  assert.ok(paired)
  assert.equal(it.response(4, false).exchange, exchange)
})

test('a request that was sent before an unasked response ended is not paired with the next one', () => {
  const { pairing: it } = pairing()
  it.response(5, false)
  it.responseOver(6, false)
  assert.equal(it.request(4, 0, false).paired, false)
  const next = it.request(7, 0, false)
  assert.ok(next.paired)
  assert.equal(it.response(8, false).exchange, next.exchange)
})

test('requests that wait when the client is lost keep their responses; later ones have none', () => {
  const { pairing: it } = pairing()
  const first = it.request(1, 0, false)
  it.clientLost()
  const later = it.request(2, 0, false)
  assert.equal(later.paired, false)
  assert.equal(it.response(3, false).exchange, first.exchange)
  it.responseOver(4, false)
  const second = it.response(5, false)
  assert.ok(second.exchange !== later.exchange && second.exchange !== first.exchange)
})

test('when the server is lost every waiting request is given up', () => {
  const { pairing: it, givenUp } = pairing()
  it.request(1, 0, false)
  it.request(2, 0, false)
  it.serverLost(3, true)
  assert.deepEqual(givenUp, [1, 2])
  assert.ok(it.response(4, false).exchange > 2)
})

test('interim responses of an unknown request share the number of the final one', () => {
  const { pairing: it } = pairing(false)
  const interim = it.response(1, true)
  it.responseOver(1, true)
  const final = it.response(2, false)
  assert.equal(final.exchange, interim.exchange)
})

test('back in step, the response must be the very next thing that the server sends, and later than the request', () => {
  const dropped = pairing(false)
  assert.ok(dropped.pairing.request(5, 0, false).paired)
  dropped.pairing.serverDropped(6)
  assert.deepEqual(dropped.givenUp, [1])
  assert.notEqual(dropped.pairing.response(7, false).exchange, 1)
  const tail = pairing(false)
  assert.ok(tail.pairing.request(5, 0, false).paired)
  tail.pairing.serverDropped(4)
  assert.equal(tail.pairing.response(7, false).exchange, 1)
  const early = pairing(false)
  assert.ok(early.pairing.request(5, 0, false).paired)
  assert.notEqual(early.pairing.response(4, false).exchange, 1)
})

test('a client that put two requests into one packet is not paired again by what is likely', () => {
  for (const sharesPacket of [false, true]) {
    const { pairing: it } = pairing()
    it.request(1, 0, false)
    it.request(1, 0, sharesPacket)
    it.serverLost(2, true)
    it.response(3, false)
    it.responseOver(4, false)
    assert.equal(it.request(5, 0, false).paired, !sharesPacket)
  }
})

test('a torn start is made up for by two turns, one of which may be told before the gap', () => {
  const { pairing: it } = pairing()
  it.response(1, false)
  it.responseOver(2, false)
  it.clientLost()
  assert.equal(it.request(3, 0, false).paired, false)
  it.response(4, false)
  it.responseOver(5, false)
  assert.ok(it.request(6, 0, false).paired)
})

test('between an interim response and its final one no request is taken for the one it answers', () => {
  const { pairing: it } = pairing(false)
  it.response(1, true)
  it.responseOver(1, true)
  assert.equal(it.request(2, 0, false).paired, false)
})

test('no block is left', () => {
  assert.equal(memory.allocator.allocatedBytes(), 0)
})
