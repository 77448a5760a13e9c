import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** Room for one file at a time, as large as the largest so far: fresh memory for each takes longer than reading it. */
export class FileRoom {
  #room = Buffer.alloc(0)

  /** All bytes of a file, good until the next. @throws {Error} with `code` of the system call */
  read(path: string): Buffer {
    const fd = openSync(path, 'r')
    try {
      const { size } = fstatSync(fd)
      if (size > this.#room.length) this.#room = Buffer.allocUnsafeSlow(size)
      let done = 0
      for (let read = -1; done < size && read !== 0; done += read) read = readSync(fd, this.#room, done, size - done, done)
      return this.#room.subarray(0, done)
    } finally {
      closeSync(fd)
    }
  }
}
