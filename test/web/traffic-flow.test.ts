import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flowOf } from '../../src/web/page/traffic-flow.ts'

test('what is called and calls others stands between them', () => {
  const { nodes, edges, left } = flowOf([
    ['10.0.0.1', '10.0.1.1', '443', 'nginx', 30], ['10.0.0.2', '10.0.1.1', '443', 'nginx', 20], ['10.0.1.1', '10.0.2.1', '8080', 'node', 45],
    ['10.0.1.1', '10.0.2.1', '8081', 'node', 5], ['10.0.0.2', '10.0.1.1', '80', 'nginx', 1],
  ])
  assert.deepEqual(nodes.map(({ column, name, about }) => [column, name, about]), [
    [0, '10.0.0.1', ''], [1, '10.0.1.1', 'nginx :443, nginx :80'], [0, '10.0.0.2', ''], [2, '10.0.2.1', 'node :8080, node :8081'],
  ])
  assert.deepEqual(edges.map(({ from, to, requests }) => [from.name, to.name, requests]),
    [['10.0.0.1', '10.0.1.1', 30], ['10.0.0.2', '10.0.1.1', 21], ['10.0.1.1', '10.0.2.1', 50]])
  assert.equal(left, 0)
})

test('a machine that calls itself, and a circle, come to an end', () => {
  const self = flowOf([['127.0.0.1', '127.0.0.1', '80', null, 3]])
  assert.deepEqual(self.edges.map(({ from, to }) => [from.column, to.column]), [[0, 2]])
  const circle = flowOf([['a', 'b', '1', null, 1], ['b', 'a', '1', null, 2]])
  assert.deepEqual(circle.edges.map(({ from, to, requests }) => [from.column, to.column, requests]), [[1, 2, 1], [1, 2, 2]])
})

test('more clients than there is room for are counted', () => {
  const { nodes, edges, left } = flowOf(Array.from({ length: 40 }, (_, index) => [`10.0.0.${index}`, '10.0.1.1', '80', 'nginx', 2]))
  assert.equal(nodes.length, 13)
  assert.equal(edges.reduce((sum, { requests }) => sum + requests, 0) + left, 80)
})
