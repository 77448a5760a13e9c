import { TALLY_AGENT_ABSENT, TALLY_AGENT_LISTED, TALLY_AGENT_MAX, TALLY_AGENT_OTHER } from '../events.gen.ts'

/** First products of User-Agent by class: what programs call themselves; crawlers that begin with Mozilla/ are browsers here. */
const PRODUCTS = {
  browser: ['mozilla', 'opera'],
  tool: ['apachebench', 'curl', 'hey', 'httpie', 'insomnia', 'k6', 'nmap', 'postmanruntime', 'sqlmap', 'vegeta', 'wget', 'wrk'],
  library: [
    'axios', 'dart', 'faraday', 'go-http-client', 'got', 'guzzlehttp', 'java', 'java-http-client', 'libwww-perl', 'node', 'node-fetch',
    'okhttp', 'python', 'python-httpx', 'python-requests', 'python-urllib', 'python-urllib3', 'reqwest', 'ruby', 'undici',
  ],
  probe: ['blackbox', 'googlehc', 'haproxy', 'kube-probe', 'prometheus', 'zabbix'],
  bot: ['ahrefsbot', 'bingbot', 'duckduckbot', 'googlebot', 'gptbot', 'semrushbot', 'twitterbot', 'yandexbot'],
} as const

const CLASSES = Object.keys(PRODUCTS) as (keyof typeof PRODUCTS)[]

/** Entries of the kernel's map "tally_agents": names in TALLY_AGENT_MAX bytes, each with the number of its class. */
export function agentEntries(): { readonly name: Uint8Array, readonly number: number }[] {
  return CLASSES.flatMap((name, index) => PRODUCTS[name].map((product) => {
    const bytes = new Uint8Array(TALLY_AGENT_MAX)
    bytes.set(Buffer.from(product, 'latin1'))
    return { name: bytes, number: TALLY_AGENT_LISTED + index }
  }))
}

/** tally_key.agent in words. */
export function agentClass(number: number): string {
  if (number === TALLY_AGENT_ABSENT) return 'none'
  if (number === TALLY_AGENT_OTHER) return 'other'
  return CLASSES[number - TALLY_AGENT_LISTED] ?? 'unknown'
}
