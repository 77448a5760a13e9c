import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { Side } from '../../connection/mod.ts'
import { makeConversation, randomFrom } from '../testing/conversation.ts'
import type { Settlement } from '../message.ts'
import type { Habit, Segment } from '../testing/conversation.ts'
import { MessageRecorder } from '../testing/message-recorder.ts'
import { TestConnection } from '../testing/test-connection.ts'
import { HeadScanner } from './head-scanner.ts'
import { Http1Connection } from './http1-connection.ts'
import { PAUSE_TURNS } from './client-habit.ts'
import { LIKELY_TURNS, OUTSTANDING_MAX, Pairing } from './pairing.ts'
import type { Answered, Asked } from './pairing.ts'

const memory = new ByteMemory()
const scanner = new HeadScanner(memory)
const input = TestConnection.reserveInput(memory)

/** When a hole becomes known: at the side's next segment, at the next segment of any side, or at once. */
type Notice = 'late' | 'acknowledged' | 'at once'
const NOTICES: readonly Notice[] = ['late', 'acknowledged', 'at once']

/** `proven` of those that are right, `likely` of those that are wrong. */
interface Judged { right: number; proven: number; wrong: number; likely: number; requests: number }

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
    const other: Side = side === 0 ? 1 : 0
    tell(side)
    if (notice === 'acknowledged') tell(other)
    connection.send(side, Buffer.from(text, 'latin1'), time, holes[other])
  })
  tell(0)
  tell(1)
  connection.close(++time)
  const judged = { right: 0, proven: 0, wrong: 0, likely: 0, requests: recorder.requests.length }
  const answers = new Map(recorder.responses.map((response) => [response.exchange, response]))
  for (const request of recorder.requests) {
    const answer = answers.get(request.exchange)
    const id = answer?.fields.find(([name]) => name === 'X-Id')?.[1]
    if (answer === undefined || id === undefined) continue
    const isRight = request.target === `/${id}`
    judged[isRight ? 'right' : 'wrong']++
    if (isRight !== answer.isLikely) judged[isRight ? 'proven' : 'likely']++
  }
  return judged
}

for (const habit of ['waits', 'batches', 'packs', 'slides'] as const satisfies readonly Habit[]) {
  test(`without loss every exchange of a client that ${habit} is paired`, () => {
    const random = randomFrom(7)
    for (let round = 0; round < 20; round++) {
      const segments = makeConversation({ habit, exchanges: 20, segmentBytes: 100 + Math.floor(random() * 1300), random })
      assert.deepEqual(play(segments, 'late', () => false), { right: 20, proven: 20, wrong: 0, likely: 0, requests: 20 })
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

test('any one segment lost costs a sliding window its pairs, and no wrong one is told to be certain', () => {
  const random = randomFrom(5)
  for (const notice of NOTICES) {
    for (let round = 0; round < 10; round++) {
      const segments = makeConversation({ habit: 'slides', exchanges: 10, segmentBytes: 1400, random })
      for (let lost = 0; lost < segments.length; lost++) {
        const { wrong, likely } = play(segments, notice, (index) => index === lost)
      assert.equal(wrong - likely, 0, `${notice}, segment ${lost}`)
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

test('a connection joined mid-way is paired by its turns, but nothing is proven: a pipeline may have been hidden', () => {
  const random = randomFrom(11)
  const segments = makeConversation({ habit: 'waits', exchanges: 30, segmentBytes: 700, random })
  for (let from = 0; from < segments.length; from++) {
    const whole = new Set(segments.slice(from).flatMap(({ text }) => /^[A-Z]+ [/]/.test(text) ? [text.split(' ')[1]] : [])).size
    const { right, proven, wrong } = play(segments.slice(from), 'late', () => false, false)
    assert.deepEqual([right, proven, wrong], [whole, 0, 0], `from segment ${from}`)
  }
})

const MS = 1_000_000

/**
 * A Pairing in a conversation of which each request is 10 bytes, each response 100: `ask` and `answer` keep the sequence numbers
 * of both streams as a client and a server would that have seen everything.
 */
class Scene {
  readonly pairing: Pairing
  readonly givenUp: number[] = []
  readonly settled: Settlement[] = []
  time = 0
  client = 1000
  server = 5000

  constructor(fromStart = true) {
    this.pairing = new Pairing({
      fromStart, giveUp: (exchange) => { this.givenUp.push(exchange) }, settle: (settlement) => { this.settled.push(settlement) },
    })
  }

  /** After a pause. `received`: where the server's stream stood for the client. */
  ask(pause = 1, received = this.server, method = 0, sharesPacket = false): Asked {
    this.time += pause
    const asked = { ...this.pairing.request(this.time, method, sharesPacket, this.client, received, this.server) }
    this.client += 10
    this.pairing.requestOver()
    return asked
  }

  answer(after = 1, received = this.client, isInterim = false, isSwitch = false): Answered {
    this.time += after
    const answered = { ...this.pairing.response(this.time, isInterim, this.server, received, isSwitch) }
    this.server += 100
    this.pairing.responseOver(this.time, isInterim, this.server)
    return answered
  }

  /** So many exchanges of a client that waits. */
  turns(count: number, pause = 1, after = 1): Answered[] {
    return Array.from({ length: count }, () => {
      this.ask(pause)
      return this.answer(after)
    })
  }

  loseRequest(): this {
    this.client += 10
    this.pairing.clientLost()
    return this
  }

  loseResponse(): this {
    this.server += 100
    this.pairing.serverLost()
    return this
  }
}

test('over the bound the oldest request is given up and its response gets a number of its own', () => {
  const scene = new Scene()
  for (let index = 1; index <= OUTSTANDING_MAX; index++) assert.equal(scene.ask().overBound, false)
  assert.equal(scene.ask().overBound, true)
  assert.deepEqual(scene.givenUp, [1])
  const late = scene.answer()
  assert.equal(late.exchange, OUTSTANDING_MAX + 2)
  assert.equal(late.unasked, false)
  assert.equal(scene.answer().exchange, 2)
})

test('requests that wait when the client is lost keep their responses; later ones have none', () => {
  const scene = new Scene()
  const first = scene.ask()
  scene.loseRequest()
  assert.equal(scene.ask().state, 'alone')
  assert.equal(scene.answer().exchange, first.exchange)
  const second = scene.answer()
  assert.deepEqual([second.method, second.likely], [undefined, 0])
})

test('when the server is lost every waiting request is given up', () => {
  const scene = new Scene()
  scene.ask()
  scene.ask()
  scene.loseResponse()
  assert.deepEqual(scene.givenUp, [1, 2])
  assert.ok(scene.answer().exchange > 2)
})

test('interim responses of an unknown request share the number of the final one', () => {
  const scene = new Scene(false)
  const interim = scene.answer(1, scene.client, true)
  assert.equal(scene.answer().exchange, interim.exchange)
})

test('a client that waited is paired again with the first exchange after a loss', () => {
  const scene = new Scene()
  scene.turns(5)
  scene.ask()
  scene.loseResponse()
  assert.equal(scene.ask().state, 'paired')
  assert.equal(scene.answer().exchange, 7)
  assert.deepEqual([scene.givenUp, scene.settled], [[6], []])
})

test('a client that waited is believed to have done so in lost bytes of its own after two more turns', () => {
  const scene = new Scene()
  scene.turns(5)
  scene.loseRequest()
  assert.equal(scene.answer().method, undefined)
  assert.deepEqual(scene.turns(2).map(({ likely }) => likely), [7, 9])
  assert.equal(scene.ask().state, 'paired')
  assert.deepEqual([scene.givenUp, scene.settled], [[], ['proven']])
  assert.equal(scene.answer().exchange, 11)
})

test('a pipeline that began in lost bytes shows itself before its pairs are given on', () => {
  const scene = new Scene()
  scene.turns(5)
  // Two requests are lost, one response comes: the next one is owed when the client asks again.
  scene.loseRequest().loseRequest()
  scene.answer()
  scene.ask()
  assert.equal(scene.answer().likely, 7)
  scene.answer()
  assert.deepEqual(scene.settled, ['apart'])
})

test('after an early loss of the server pairs are held until the client has waited for long enough', () => {
  const scene = new Scene()
  scene.ask()
  scene.loseResponse()
  assert.deepEqual(scene.turns(3).map(({ likely, method }) => [likely, method]), [[2, undefined], [4, undefined], [6, undefined]])
  assert.deepEqual(scene.settled, [])
  assert.equal(scene.ask().state, 'paired')
  assert.deepEqual(scene.settled, ['proven'])
  assert.equal(scene.answer().exchange, 8)
})

test('after a join two long pauses with prompt answers prove the pairs', () => {
  const scene = new Scene(false)
  scene.turns(1, 1, MS)
  scene.turns(2, 1500 * MS, MS)
  assert.deepEqual(scene.settled, ['proven'])
  assert.equal(scene.ask().state, 'paired')
})

test('pauses that prove it later make the pairs from there on certain', () => {
  const scene = new Scene(false)
  scene.turns(10, 1, MS)
  assert.equal(scene.turns(1)[0]?.isLikely, true)
  const [first, second] = scene.turns(2, 1500 * MS, MS)
  assert.deepEqual([first?.isLikely, second?.isLikely, second?.method], [true, false, 0])
  assert.deepEqual(scene.settled, ['likely'])
})

test('after a join one pause alone proves nothing, however long', () => {
  const scene = new Scene(false)
  scene.turns(1, 1, MS)
  scene.turns(1, 3_600_000 * MS, 1)
  assert.ok(scene.turns(10, 1, MS).every(({ method }) => method === undefined))
  assert.deepEqual(scene.settled, ['likely'])
})

test('long pauses too far from each other are not counted together', () => {
  const scene = new Scene(false)
  scene.turns(1, 1, MS)
  for (let round = 0; round < 10; round++) {
    scene.turns(1, 1500 * MS, MS)
    assert.ok(scene.turns(PAUSE_TURNS, 1, MS).every(({ method }) => method === undefined), `round ${round}`)
  }
})

test('after a join pauses that may be the way to the client prove nothing, however many', () => {
  for (const [pause, after] of [[50 * MS, 2 * MS], [50 * MS, 50 * MS], [1, 5 * MS], [1500 * MS, 1000 * MS]] as const) {
    const scene = new Scene(false)
    const answered = scene.turns(1000, pause, after)
    assert.deepEqual(scene.settled, ['likely'])
    assert.ok(answered.slice(LIKELY_TURNS).every(({ isLikely }) => isLikely), `${pause}, ${after}`)
  }
})

test('pairs are held for some turns without a sign, and are likely from the next one on', () => {
  const scene = new Scene(false)
  scene.answer()
  const held = scene.turns(LIKELY_TURNS).map(({ likely, isLikely }) => [likely, isLikely])
  assert.deepEqual(held, [[2, false], [4, false], [6, false], [8, false]])
  assert.deepEqual(scene.settled, [])
  const [next, last] = scene.turns(2)
  assert.deepEqual(next, { exchange: 10, method: undefined, isLikely: true, likely: 0, unasked: false })
  assert.deepEqual(last, { exchange: 11, method: undefined, isLikely: true, likely: 0, unasked: false })
  assert.deepEqual([scene.settled, scene.givenUp], [['likely'], []])
})

test('after a sign of a pipeline nothing is likely any more', () => {
  const scene = new Scene(false)
  scene.turns(LIKELY_TURNS + 2)
  scene.ask()
  assert.equal(scene.ask().state, 'alone')
  assert.deepEqual(scene.turns(3).map(({ isLikely, likely }) => [isLikely, likely]), Array(3).fill([false, 0]))
})

test('a response that switches to another protocol is given on at once, with all that is held', () => {
  const scene = new Scene(false)
  scene.turns(2)
  const { exchange } = scene.ask()
  const switched = scene.answer(1, scene.client, false, true)
  assert.deepEqual([switched.exchange, switched.isLikely, scene.settled], [exchange, true, ['likely']])
})

test('a loss starts the hold anew, and no more than some pairs are held', () => {
  for (const lose of ['loseRequest', 'loseResponse'] as const) {
    const scene = new Scene(false)
    scene.turns(LIKELY_TURNS + 2)
    scene[lose]()
    if (lose === 'loseRequest') scene.answer()
    assert.ok(scene.turns(LIKELY_TURNS).every(({ likely }) => likely !== 0), lose)
    assert.equal(scene.turns(1)[0]?.isLikely, true, lose)
    const lossy = new Scene(false)
    for (let held = 1; held <= 3 * LIKELY_TURNS; held++) {
      assert.notEqual(lossy.turns(1)[0]?.likely, 0)
      assert.equal(lossy.settled.length, Math.ceil(held / LIKELY_TURNS) - 1, `${lose}, ${held} held`)
      lossy[lose]()
      if (lose === 'loseRequest') lossy.answer()
    }
  }
})

test('interim responses share the number of their final one, held or likely', () => {
  const scene = new Scene(false)
  const both = (): Answered[] => {
    scene.ask()
    return [scene.answer(1, scene.client, true), scene.answer()]
  }
  for (let turn = 0; turn < LIKELY_TURNS; turn++) {
    const [interim, final] = both()
    assert.equal(interim?.exchange, final?.exchange)
    assert.deepEqual([interim?.likely, final?.likely], [0, final!.exchange - 1])
  }
  const asked = scene.ask().exchange
  for (const isInterim of [true, false]) {
    const { exchange, isLikely } = scene.answer(1, scene.client, isInterim)
    assert.deepEqual([exchange, isLikely], [asked, true])
  }
  assert.deepEqual(scene.settled, ['likely'])
})

test('a response whose interim ones were held is held too, even when its pause has proven the client', () => {
  const scene = new Scene(false)
  scene.turns(1, 1, MS)
  scene.turns(1, 1500 * MS, MS)
  scene.ask(1500 * MS)
  const interim = scene.answer(MS, scene.client, true)
  const final = scene.answer()
  assert.deepEqual([final.exchange, final.likely], [interim.exchange, interim.exchange - 1])
  scene.ask()
  assert.deepEqual(scene.settled, ['proven', 'proven'])
})

test('each sign of a pipeline parts what is held, and ends pairs by turns', () => {
  const signs: Readonly<Record<string, (scene: Scene) => void>> = {
    'a request in the packet of the one before': (scene) => { scene.ask(1, scene.server, 0, true) },
    'two requests without an answer between': (scene) => { scene.ask(); scene.ask() },
    'a request sent before the response before it was whole': (scene) => { scene.ask(1, scene.server - 50) },
    'two responses without a request between': (scene) => { scene.ask(); scene.answer(); scene.answer() },
    'a response sent before the request came': (scene) => { scene.ask(); scene.answer(1, scene.client - 10) },
    'a lost request that nothing answered': (scene) => { scene.loseRequest().ask() },
    'a server that goes on with something else': (scene) => { scene.ask(); scene.pairing.serverDropped(scene.server, false) },
  }
  for (const [name, sign] of Object.entries(signs)) {
    const held = new Scene(false)
    held.turns(3)
    sign(held)
    if (held.settled.length === 0) held.ask()
    assert.deepEqual(held.settled, ['apart'], name)
    const known = new Scene()
    known.turns(6)
    known.loseResponse()
    assert.equal(known.ask().state, 'paired')
    known.answer()
    sign(known)
    known.ask()
    known.answer()
    assert.equal(known.ask().state, 'alone', name)
  }
})

test('a piece of a first line where the response is due is no sign', () => {
  const scene = new Scene(false)
  scene.ask()
  scene.pairing.serverDropped(scene.server, true)
  assert.equal(scene.ask(1, scene.server + 1).state, 'unproven')
})

test('a response is not taken for that of a request after which the server said something else', () => {
  const scene = new Scene()
  scene.turns(5)
  scene.ask()
  scene.loseResponse()
  assert.equal(scene.answer().method, undefined)
  assert.deepEqual(scene.givenUp, [6])
})

test('a response that nothing waits for ends the count', () => {
  const scene = new Scene()
  scene.turns(5)
  assert.equal(scene.answer(1, scene.client + 10).unasked, true)
  assert.equal(scene.answer(1, scene.client + 20).unasked, false)
})

test('where the first bytes of the server are not known, only its answer to the first request is paired', () => {
  const scene = new Scene()
  scene.ask()
  assert.ok(scene.pairing.serverUncertain())
  assert.equal(scene.answer().exchange, 1)
  const late = new Scene()
  late.ask()
  late.server += 100
  assert.ok(late.pairing.serverUncertain())
  assert.equal(late.answer().method, undefined)
  assert.deepEqual(late.givenUp, [1])
  const two = new Scene()
  two.ask()
  two.ask()
  assert.equal(two.pairing.serverUncertain(), false)
  assert.deepEqual(two.givenUp, [1, 2])
})

test('no block is left', () => {
  assert.equal(memory.allocator.allocatedBytes(), 0)
})
