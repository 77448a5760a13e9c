import { execFileSync } from 'node:child_process'

let serial = 0

/** Two network namespaces joined by a veth pair, each with IPv4 and IPv6 addresses; removed with everything in them. */
export class Network {
  readonly client: string
  readonly server: string
  /** Interface names inside the namespaces. */
  readonly clientInterface: string
  readonly serverInterface: string
  readonly client4 = '10.97.0.1'
  readonly server4 = '10.97.0.2'
  readonly client6 = 'fd97::1'
  readonly server6 = 'fd97::2'

  readonly #mtu: number | undefined

  constructor(options: { mtu?: number } = {}) {
    const id = `${process.pid.toString(36)}${serial++}`
    this.client = `lnc${id}`
    this.server = `lns${id}`
    this.clientInterface = `lvc${id}`
    this.serverInterface = `lvs${id}`
    ip(`netns add ${this.client}`)
    ip(`netns add ${this.server}`)
    this.#mtu = options.mtu
    this.join()
  }

  /** Makes the pair and its addresses. */
  join(): void {
    ip(`link add ${this.clientInterface} netns ${this.client} type veth peer name ${this.serverInterface} netns ${this.server}`)
    this.#configure(this.client, this.clientInterface, this.client4, this.client6, this.#mtu)
    this.#configure(this.server, this.serverInterface, this.server4, this.server6, this.#mtu)
  }

  /** Deletes the pair; both interfaces are gone. */
  cut(): void {
    ip(`-n ${this.server} link del ${this.serverInterface}`)
  }

  #configure(namespace: string, device: string, address4: string, address6: string, mtu: number | undefined): void {
    ip(`-n ${namespace} link set lo up`)
    if (mtu !== undefined) ip(`-n ${namespace} link set ${device} mtu ${mtu}`)
    ip(`-n ${namespace} addr add ${address4}/24 dev ${device}`)
    ip(`-n ${namespace} addr add ${address6}/64 dev ${device} nodad`)
    ip(`-n ${namespace} link set ${device} up`)
  }

  /** A VXLAN between the two ends; gives the inner addresses of client and server. */
  addVxlan(): { client4: string; server4: string; device: string } {
    const ends = [
      [this.client, this.clientInterface, this.client4, this.server4, '10.98.0.1'],
      [this.server, this.serverInterface, this.server4, this.client4, '10.98.0.2'],
    ] as const
    for (const [namespace, device, local, remote, inner] of ends) {
      ip(`-n ${namespace} link add vx0 type vxlan id 42 dstport 4789 local ${local} remote ${remote} dev ${device}`)
      ip(`-n ${namespace} addr add ${inner}/24 dev vx0`)
      ip(`-n ${namespace} link set vx0 up`)
    }
    return { client4: '10.98.0.1', server4: '10.98.0.2', device: 'vx0' }
  }

  remove(): void {
    for (const namespace of [this.client, this.server]) ip(`netns del ${namespace}`)
  }
}

function ip(words: string): void {
  execFileSync('ip', words.split(' '), { stdio: ['ignore', 'ignore', 'pipe'] })
}
