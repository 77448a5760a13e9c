import { openCapture, READ } from '../mod.ts'

/** Reads a capture from standard input as a program does: looking again a little later when there is nothing now. */
const capture = openCapture('-', { bytes: new Uint8Array(1 << 20), offset: 0, length: 1 << 20 })
let packets = 0
let waits = 0
for (;;) {
  const state = capture.reader.next()
  if (state === READ.END) break
  if (state === READ.PACKET) {
    packets++
  } else {
    waits++
    await new Promise(resolve => setTimeout(resolve, 1))
  }
}
console.log(`${packets} packets, waited ${waits} times`)
capture.close()
