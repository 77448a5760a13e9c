import { COUNTED, distinctSql, mergedSeenSql, rolledSql } from '../../store/mod.ts'
import type { View } from '../view.ts'

/** Who talks to whom: an edge of the traffic map a row, with resets and retransmissions where connection fields are logged. */
export const connections: View = {
  name: 'connections',
  title: 'Client to server',
  columns: [
    { title: 'Client', unit: 'text' }, { title: 'Server', unit: 'text' }, { title: 'Port', unit: 'text' }, { title: 'Process', unit: 'text' },
    { title: 'Requests', unit: 'count' }, { title: 'Connections', unit: 'count' }, { title: 'Protocols', unit: 'list' },
  ],
  sql: ({ words, where, limit }) => `SELECT client_address, server_address, ${words.text('server_port')} AS port,
    any_value(server_process_executable_name) AS process, count(*) AS n, count(DISTINCT network_connection_id) AS connections,
    ${words.listed(words.joined('/', ['network_protocol_name', 'network_protocol_version']))} AS protocols
    FROM exchanges WHERE ${where} GROUP BY 1, 2, 3 ORDER BY n DESC, 1, 2, 3 LIMIT ${limit}`,
  rolled: question => ({
    sql: () => `SELECT k1, k2, k3, process, n, ${distinctSql('seen', COUNTED)} AS connections, protocols
      FROM (SELECT k1, k2, k3, any_value(about) AS process, sum(n)::BIGINT AS n,
        ${mergedSeenSql(COUNTED)} AS seen,
        list_sort(list_distinct(flatten(list(items)))) AS protocols
        FROM (${rolledSql('edge', question)}) GROUP BY 1, 2, 3 ORDER BY n DESC, 1, 2, 3 LIMIT ${question.limit}) ORDER BY n DESC, 1, 2, 3`,
    cube: 'edge',
  }),
}
