/** A client and a server of HTTPS, by Node's own OpenSSL: memory BIOs, the socket is read and written outside of TLS calls. */
import { readFileSync } from 'node:fs'
import { Agent, createServer, request } from 'node:https'

const [, , role, ...words] = process.argv

function serve(port: string, certificate: string, key: string): void {
  const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (question, answer) => {
    let bytes = 0
    question.on('data', (data: Buffer) => { bytes += data.length })
    question.on('end', () => {
      answer.setHeader('x-served-by', 'node')
      answer.end(`${bytes}\n`)
    })
  })
  server.listen(Number(port), '127.0.0.1', () => { console.log('listening') })
}

async function ask(url: string, prefix: string, count: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  await Promise.all(Array.from({ length: Number(count) }, async (_, index) => {
    const body = index % 3 === 2 ? 'x'.repeat(index * 1000) : undefined
    await new Promise<void>((resolve, reject) => {
      const question = request(url, {
        agent, method: body === undefined ? 'GET' : 'POST', rejectUnauthorized: false, headers: { 'x-request-id': `${prefix}${index}` },
      }, (answer) => {
        answer.resume()
        answer.on('end', resolve)
      })
      question.on('error', reject)
      question.end(body)
    })
  }))
  agent.destroy()
}

if (role === 'serve') serve(words[0]!, words[1]!, words[2]!)
else await ask(words[0]!, words[1]!, words[2]!)
