import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { addWords, foldChecksum } from '../../lib/pcap/mod.ts'

const MAGIC_MICROSECONDS = 0xa1b2c3d4
const LINK_ETHERNET = 1
const FILE_HEADER_BYTES = 24
const RECORD_BYTES = 16
const ETHERNET_BYTES = 14
const IPV4_BYTES = 20
const ETHERTYPE_IPV4 = 0x0800
const PROTOCOL_TCP = 6
/** Between a copy's last packet and the next one's first. */
const PAUSE_MICROSECONDS = 1_000_000

export interface Copies {
  readonly bytes: number
  readonly copies: number
  readonly packets: number
}

/**
 * Writes a capture over and over, until the file has about so many bytes. In each copy the clients have another address (10.0.0.1 for
 * the first copy and so on), so that its connections are others, and all times are later. The packets are those that were captured;
 * the checksum of the IP header is made anew, that of TCP is left (on the loopback it is not filled in anyway).
 *
 * @param from a pcap file as tcpdump writes it on lo: little endian, microseconds, Ethernet, TCP over IPv4 without options
 * @param serverPort tells clients from servers
 * @throws {Error} when the file is no such capture, or holds no packet
 */
export function writeCopies(from: string, to: string, serverPort: number, bytes: number): Copies {
  const capture = readFileSync(from)
  const packets = packetsOf(capture, from)
  const records = capture.subarray(FILE_HEADER_BYTES)
  const span = timeOf(capture, packets.at(-1)!) - timeOf(capture, packets[0]!) + PAUSE_MICROSECONDS
  const copies = Math.max(1, Math.round((bytes - FILE_HEADER_BYTES) / records.length))
  const file = openSync(to, 'w', 0o600)
  try {
    writeSync(file, capture, 0, FILE_HEADER_BYTES)
    for (let copy = 0; copy < copies; copy++) {
      for (const at of packets) {
        setClient(capture, at + RECORD_BYTES + ETHERNET_BYTES, serverPort, copy + 1)
        if (copy > 0) setTime(capture, at, timeOf(capture, at) + span)
      }
      for (let done = 0; done < records.length;) done += writeSync(file, records, done)
    }
  } finally {
    closeSync(file)
  }
  return { bytes: FILE_HEADER_BYTES + copies * records.length, copies, packets: copies * packets.length }
}

/** Where each packet's record begins. */
function packetsOf(capture: Buffer, path: string): number[] {
  const isWanted = capture.length > FILE_HEADER_BYTES && capture.readUInt32LE(0) === MAGIC_MICROSECONDS
    && capture.readUInt32LE(20) === LINK_ETHERNET
  const packets: number[] = []
  let at = isWanted ? FILE_HEADER_BYTES : capture.length
  while (at + RECORD_BYTES <= capture.length) {
    packets.push(at)
    if (!isTcp(capture, at + RECORD_BYTES)) throw new Error(`Cannot copy "${path}": packet ${packets.length} is not TCP over IPv4`)
    at += RECORD_BYTES + capture.readUInt32LE(at + 8)
  }
  if (packets.length === 0 || at !== capture.length) {
    throw new Error(`Cannot copy "${path}": not a whole pcap file with microseconds and Ethernet; capture again with tcpdump -i lo`)
  }
  return packets
}

function isTcp(capture: Buffer, ethernet: number): boolean {
  const ip = ethernet + ETHERNET_BYTES
  return ip + IPV4_BYTES + 4 <= capture.length && capture.readUInt16BE(ip - 2) === ETHERTYPE_IPV4 && capture[ip] === 0x45
    && capture[ip + 9] === PROTOCOL_TCP
}

/** Microseconds since the epoch. */
function timeOf(capture: Buffer, record: number): number {
  return capture.readUInt32LE(record) * 1_000_000 + capture.readUInt32LE(record + 4)
}

function setTime(capture: Buffer, record: number, time: number): void {
  capture.writeUInt32LE(Math.floor(time / 1_000_000), record)
  capture.writeUInt32LE(time % 1_000_000, record + 4)
}

function setClient(capture: Buffer, ip: number, serverPort: number, client: number): void {
  const isFromServer = capture.readUInt16BE(ip + IPV4_BYTES) === serverPort
  capture.writeUInt32BE((10 << 24) + client, ip + (isFromServer ? 16 : 12))
  capture.writeUInt16BE(0, ip + 10)
  capture.writeUInt16BE(foldChecksum(addWords(capture, ip, IPV4_BYTES, 0)), ip + 10)
}
