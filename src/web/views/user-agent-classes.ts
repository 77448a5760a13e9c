import { groupedSql, SHARED_COLUMNS, USER_AGENT, type View } from '../view.ts'

/** In this order: a bot often calls itself Mozilla as well. */
const CLASSES: readonly (readonly [name: string, pattern: string])[] = [
  ['bot', '(?i)bot\\b|bot/|crawl|spider|slurp|facebookexternalhit|monitor|uptime|healthcheck|kube-probe|googlehc'],
  ['scanner', '(?i)nikto|sqlmap|nmap|masscan|zgrab|nuclei|wpscan|dirbuster|gobuster|ffuf'],
  ['command line', '(?i)^(curl|wget|httpie|aria2)'],
  ['load tool', '(?i)^(wrk|hey|ab|h2load|k6|vegeta|apachebench|jmeter|locust)\\b'],
  ['library', '(?i)^(python|go-http|okhttp|java|apache-httpclient|axios|node|undici|grpc|ruby|php|guzzle|reqwest|hyper|dart|perl|libwww)'],
  ['browser', '^Mozilla/|^Opera/'],
]

export const userAgentClasses: View = {
  name: 'user-agent-classes',
  title: 'Kinds of user agents',
  columns: [{ title: 'Kind', unit: 'text' }, ...SHARED_COLUMNS],
  sql: question => groupedSql(`CASE WHEN ${USER_AGENT} IS NULL THEN 'none' ${CLASSES.map(([name, pattern]) =>
    `WHEN regexp_matches(${USER_AGENT}, '${pattern}') THEN '${name}'`).join(' ')} ELSE 'other' END`, question),
}
