/** In this order: a bot often calls itself Mozilla as well. */
export const AGENT_CLASSES: readonly (readonly [name: string, pattern: string])[] = [
  ['bot', '(?i)bot\\b|bot/|crawl|spider|slurp|facebookexternalhit|monitor|uptime|healthcheck|kube-probe|googlehc'],
  ['scanner', '(?i)nikto|sqlmap|nmap|masscan|zgrab|nuclei|wpscan|dirbuster|gobuster|ffuf'],
  ['command line', '(?i)^(curl|wget|httpie|aria2)'],
  ['load tool', '(?i)^(wrk|hey|ab|h2load|k6|vegeta|apachebench|jmeter|locust)\\b'],
  ['library', '(?i)^(python|go-http|okhttp|java|apache-httpclient|axios|node|undici|grpc|ruby|php|guzzle|reqwest|hyper|dart|perl|libwww)'],
  ['browser', '^Mozilla/|^Opera/'],
]

/** SQL: what kind of user agent calls itself so. */
export function agentClassSql(agent: string): string {
  const cases = AGENT_CLASSES.map(([name, pattern]) => `WHEN regexp_matches(${agent}, '${pattern}') THEN '${name}'`)
  return `CASE WHEN ${agent} IS NULL THEN 'none' ${cases.join(' ')} ELSE 'other' END`
}
