import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Admin, Consumer, MessagesStreamModes, stringDeserializers } from '@platformatic/kafka'
import type { CertificateFiles } from '../../../src/sink/exporters/testing/certificates.ts'
import { accepts } from '../../gateway/testing/gateway.ts'
import { Running } from '../../gateway/testing/process.ts'
import { engine, START_MS_MAX } from './engine-folder.ts'
import { freePort } from './free-port.ts'
import { grown } from './grown.ts'

/** Users of the SASL listeners, by name. */
export const PASSWORDS = { writer: 'open-sesame-42', stranger: 'nothing-allowed' } as const

const PORTS = ['plain', 'tls', 'sasl', 'controller'] as const
type Listener = (typeof PORTS)[number]

export interface Found {
  readonly key: string | undefined
  readonly value: string
  readonly headers: ReadonlyMap<string, string>
  readonly partition: number
  readonly offset: bigint
}

/** A broker and controller of its own (KRaft) on loopback ports, with listeners in the clear, with TLS that wants a certificate, and with SASL. */
export class KafkaServer {
  readonly brokers: Readonly<Record<Exclude<Listener, 'controller'>, string>>
  readonly #folder: string
  readonly #port: number
  #process: Running | undefined
  /** In the clear; opened when it is used. */
  readonly admin: Admin

  private constructor(folder: string, ports: Readonly<Record<Listener, number>>) {
    this.#folder = folder
    this.#port = ports.plain
    const at = (name: Listener): string => `127.0.0.1:${ports[name]}`
    this.brokers = { plain: at('plain'), tls: at('tls'), sasl: at('sasl') }
    this.admin = new Admin({ clientId: 'test', bootstrapBrokers: [this.brokers.plain] })
  }

  /** @param certificate of the TLS listener; clients must have one of the same authority */
  static async start(folder: string, certificate: CertificateFiles): Promise<KafkaServer> {
    mkdirSync(folder)
    const ports = { plain: await freePort(), tls: await freePort(), sasl: await freePort(), controller: await freePort() }
    writeFileSync(join(folder, 'identity.pem'), readFileSync(certificate.key, 'utf8') + readFileSync(certificate.cert, 'utf8'), { mode: 0o600 })
    writeFileSync(join(folder, 'properties'), properties(folder, ports, certificate))
    const scram = Object.entries(PASSWORDS).flatMap(([name, password]) => ['--add-scram', `SCRAM-SHA-256=[name="${name}",password="${password}"]`])
    const server = new KafkaServer(folder, ports)
    const format = ['format', '-t', randomBytes(16).toString('base64url'), '-c', join(folder, 'properties'), ...scram]
    execFileSync('java', [...javaOptions(), 'kafka.tools.StorageTool', ...format], { stdio: 'pipe' })
    await server.run()
    return server
  }

  /** At the same ports, with what it had stored. */
  async run(): Promise<void> {
    this.#process = new Running('java', [...javaOptions(), 'kafka.Kafka', join(this.#folder, 'properties')])
    await this.#process.until(() => accepts(String(this.#port)), 'listening port', START_MS_MAX)
  }

  /** At once, as a crash does it. */
  async kill(): Promise<void> {
    await this.#process?.stop('SIGKILL')
  }

  async close(): Promise<void> {
    await this.admin.close()
    await this.kill()
  }

  async createTopic(topic: string, partitions: number, configs: Readonly<Record<string, string>> = {}): Promise<void> {
    const settings = Object.entries(configs).map(([name, value]) => ({ name, value }))
    await this.admin.createTopics({ topics: [topic], partitions, replicas: 1, configs: settings })
  }

  /** Everything in a topic, by a consumer from its beginning to `count` messages at least; those that are there for `quietMs` more. */
  async read(topic: string, count: number, quietMs = 1000): Promise<Found[]> {
    const groupId = `read-${randomBytes(8).toString('hex')}`
    const consumer = new Consumer({ clientId: 'test', groupId, bootstrapBrokers: [this.brokers.plain], deserializers: stringDeserializers })
    const found: Found[] = []
    try {
      const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST, autocommit: false, maxWaitTime: 200 })
      stream.on('data', ({ key, value, headers, partition, offset }) => {
        found.push({ key: key ?? undefined, value, headers, partition, offset })
      })
      await grown('messages of Kafka', count, () => found.length)
      await sleep(quietMs)
      await stream.close()
    } finally {
      await consumer.close(true)
    }
    return found
  }
}

function javaOptions(): string[] {
  return ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', join(engine('kafka'), '*')]
}

function properties(folder: string, ports: Readonly<Record<Listener, number>>, { ca }: CertificateFiles): string {
  const names = { plain: 'PLAINTEXT', tls: 'SSL', sasl: 'SASL_PLAINTEXT', controller: 'CONTROLLER' } as const
  const addresses = PORTS.map(name => `${names[name]}://127.0.0.1:${ports[name]}`)
  const users = Object.entries(PASSWORDS).map(([name, password]) => `user_${name}="${password}"`).join(' ')
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${ports.controller}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT
listeners=${addresses.join(',')}
advertised.listeners=${addresses.slice(0, 3).join(',')}
log.dirs=${join(folder, 'data')}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=18000
initial.broker.registration.timeout.ms=600000
ssl.keystore.type=PEM
ssl.keystore.location=${join(folder, 'identity.pem')}
ssl.truststore.type=PEM
ssl.truststore.location=${ca}
ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required ${users};
listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:writer;User:CN=broker
`
}
