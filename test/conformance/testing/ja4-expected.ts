/** What two other implementations say of the JA4 of the corpus: FoxIO's in Python and in Rust. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { CORPORA } from './corpora.ts'

/** The first ClientHello of one connection or flow. */
export interface ExpectedJa4 {
  /** `address:port > address:port`, client first. */
  readonly flow: string
  readonly ja4: string
  /** tcp or udp, where the witness says. */
  readonly transport: string | undefined
}

export interface Ja4Capture {
  readonly path: string
  readonly witnesses: ReadonlyMap<string, readonly ExpectedJa4[]>
}

const FOLDER = `${CORPORA}/ja4`

/** Every capture of the corpus for which a witness gives results. */
export function ja4Captures(): Ja4Capture[] {
  return readdirSync(`${FOLDER}/pcap`).map((name) => {
    const witnesses = new Map<string, readonly ExpectedJa4[]>()
    const python = `${FOLDER}/python/test/testdata/${name}.json`
    if (existsSync(python)) witnesses.set('python', fromPython(readFileSync(python, 'utf8')))
    const rust = `${FOLDER}/rust/ja4/src/snapshots/ja4__insta@${name}.snap`
    if (existsSync(rust)) witnesses.set('rust', fromRust(readFileSync(rust, 'utf8')))
    return { path: `${FOLDER}/pcap/${name}`, witnesses }
  })
}

function fromPython(text: string): ExpectedJa4[] {
  const rows = JSON.parse(text.trim() === '' ? '[]' : text) as Record<string, string>[]
  return rows.flatMap((row) => (row['JA4.1'] === undefined ? [] : [{
    flow: flowOf(row['src'], row['srcport'], row['dst'], row['dstport']), ja4: row['JA4.1'], transport: undefined,
  }]))
}

/** YAML, one list entry a stream: only its flat lines are read. */
function fromRust(text: string): ExpectedJa4[] {
  return text.split(/^- /mu).slice(1).flatMap((entry) => {
    const line = (name: string): string | undefined => new RegExp(`^ *${name}: "?([^"\n]*)"?$`, 'mu').exec(entry)?.[1]
    const ja4 = line('ja4')
    return ja4 === undefined ? [] : [{
      flow: flowOf(line('src'), line('src_port'), line('dst'), line('dst_port')), ja4, transport: line('transport'),
    }]
  })
}

function flowOf(source = '', sourcePort = '', destination = '', destinationPort = ''): string {
  return flowKey(source, Number(sourcePort), destination, Number(destinationPort))
}

/** `address:port > address:port`, IPv6 in its one canonical form. */
export function flowKey(source: string, sourcePort: number, destination: string, destinationPort: number): string {
  return `${canonical(source)}:${sourcePort} > ${canonical(destination)}:${destinationPort}`
}

function canonical(address: string): string {
  return address.includes(':') ? new URL(`http://[${address}]`).hostname : address
}

/** What nDPI says of its own captures: one line a flow, fingerprints of DTLS left out. */
export function ndpiCaptures(): { readonly path: string; readonly expected: readonly ExpectedJa4[] }[] {
  const folder = `${CORPORA}/ndpi`
  return readdirSync(`${folder}/pcap`).flatMap((name) => {
    const result = `${folder}/result/${name}.out`
    if (!existsSync(result)) return []
    const expected = [...readFileSync(result, 'latin1').matchAll(NDPI_LINE)].flatMap(([, transport, source, sourcePort, destination, destinationPort, ja4]) => (
      ja4!.startsWith('d') ? [] : [{ flow: flowOf(unbracket(source), sourcePort, unbracket(destination), destinationPort), ja4: ja4!, transport }]
    ))
    return expected.length === 0 ? [] : [{ path: `${folder}/pcap/${name}`, expected }]
  })
}

const NDPI_LINE = /^\t\d+\t(TCP|UDP) (\S+):(\d+) (?:<->|->) (\S+):(\d+) .*?\[JA4: (\w+)\]/gmu

function unbracket(address = ''): string {
  return address.replace(/^\[|\]$/gu, '')
}
