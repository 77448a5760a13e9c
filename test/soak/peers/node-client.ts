/** A client of HTTPS by Node: PORT PREFIX COUNT PAUSE_MS MODE (http1, http2). Says "done ID" for each response that it read whole. */
import { connect } from 'node:http2'
import { Agent, request } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'

const [port = '', prefix = '', count = '0', pauseMs = '0', mode = ''] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true, maxSockets: 2, rejectUnauthorized: false })
const session = mode === 'http2' ? connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false }) : undefined
session?.on('error', () => {})

/** @returns the status */
async function ask(id: string, body: string | undefined): Promise<number> {
  const method = body === undefined ? 'GET' : 'POST'
  return await new Promise((resolve, reject) => {
    if (session !== undefined) {
      const stream = session.request({ ':path': '/node', ':method': method, 'x-request-id': id })
      let status = 0
      stream.on('response', (headers) => { status = headers[':status'] ?? 0 })
      stream.on('end', () => { resolve(status) })
      stream.on('error', reject)
      stream.on('close', () => { reject(new Error('closed')) })
      stream.resume()
      stream.end(body)
      return
    }
    const question = request({ agent, host: '127.0.0.1', port, path: '/node', method, headers: { 'x-request-id': id } }, (answer) => {
      answer.resume()
      answer.on('end', () => { resolve(answer.statusCode ?? 0) })
      answer.on('error', reject)
    })
    question.on('error', reject)
    question.end(body)
  })
}

async function one(index: number): Promise<void> {
  const id = `${prefix}${index}`
  try {
    const status = await ask(id, index % 3 === 2 ? 'x'.repeat(index * 1000) : undefined)
    console.log(status === 200 ? 'done' : 'failed', id, status)
  } catch (error) {
    console.log('failed', id, (error as Error).message)
  }
}

const all: Promise<void>[] = []
for (let index = 0; index < Number(count); index++) {
  all.push(one(index))
  await delay(Number(pauseMs))
}
await Promise.all(all)
agent.destroy()
session?.close()
