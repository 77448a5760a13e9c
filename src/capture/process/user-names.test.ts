import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { namesIn, UserNames } from './user-names.ts'

test('names come from passwd; lines that are none are passed over, the first name of a number counts', () => {
  const names = namesIn('root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\n\n# note:x:5:\nbroken\n:x:7:\nno:x:abc:\nwww-data:x:33:33::/var/www:\n')
  assert.deepEqual([...names], [[0, 'root'], [33, 'www-data']])
})

test('a user of this mount namespace has a name, one of another has a number only', () => {
  const own = statSync('/proc/self/ns/mnt').ino
  const first = /^([^:]+):[^:]*:0:/m.exec(readFileSync('/etc/passwd', 'utf8'))?.[1]
  assert.equal(new UserNames().nameOf(0, own), first)
  assert.equal(new UserNames().nameOf(0, own + 1), undefined)
  assert.equal(new UserNames().nameOf(3_999_999_999, own), undefined)
})
