import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from './mod.ts'

test('nearest() finds the word that was meant, and none when nothing is near', () => {
  const names = ['interfaces', 'ports', 'attach', 'ring_bytes', 'http.request.method']
  const cases: [string, string | undefined][] = [['port', 'ports'], ['prots', 'ports'], ['Interface', 'interfaces'], ['ring-bytes', 'ring_bytes'],
    ['http.request.methd', 'http.request.method'], ['xyz', undefined], ['', undefined], ['a'.repeat(1000), undefined]]
  for (const [word, meant] of cases) assert.equal(nearest(word, names), meant, word)
})
