import type { WriteStream } from 'node:tty'

const ESC = '\x1b['

/** The terminal's second screen: only rows that changed are written. */
export class Screen {
  readonly #stream: WriteStream | NodeJS.WriteStream
  #shown: readonly string[] = []

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  enter(): void {
    this.#shown = []
    this.#stream.write(`${ESC}?1049h${ESC}?25l${ESC}2J`)
  }

  leave(): void {
    this.#stream.write(`${ESC}?25h${ESC}?1049l`)
  }

  draw(lines: readonly string[]): void {
    let text = ''
    const rows = Math.max(lines.length, this.#shown.length)
    for (let row = 0; row < rows; row++) {
      const line = lines[row] ?? ''
      if (line !== this.#shown[row]) text += `${ESC}${row + 1};1H${line}${ESC}0m${ESC}K`
    }
    this.#shown = lines
    if (text !== '') this.#stream.write(text)
  }
}
