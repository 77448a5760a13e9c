import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attachedPlaces } from './capture-sources.ts'

test('an interface with a program for each direction is told as one place', () => {
  const attachment = (where: string, direction: string) => ({ where, hook: 'tcx', bothDirections: true, direction })
  assert.deepEqual(attachedPlaces([attachment('lo', 'ingress'), attachment('eth0', 'ingress'), attachment('eth0', 'egress')]),
    [{ where: 'lo', hook: 'tcx', bothDirections: true }, { where: 'eth0', hook: 'tcx', bothDirections: true }])
})
