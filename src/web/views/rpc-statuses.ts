import { CLIENT, type View } from '../view.ts'

/** Calls of gRPC by how they ended: HTTP says 200 to all of them. Failures first. Of records that have one; no roll-up counts them. */
export const rpcStatuses: View = {
  name: 'rpc-statuses',
  title: 'gRPC calls by status',
  columns: [
    { title: 'Call', unit: 'text' }, { title: 'Status', unit: 'text' }, { title: 'Requests', unit: 'count' }, { title: 'Average', unit: 'seconds' },
    { title: 'Longest', unit: 'seconds' }, { title: 'Clients', unit: 'count' },
  ],
  narrow: 'rpc.method == %',
  sql: ({ where, limit }) => `SELECT rpc_method, rpc_status_code, count(*) AS n, avg(duration) AS average, max(duration) AS longest,
    count(DISTINCT ${CLIENT}) AS clients FROM exchanges WHERE rpc_status_code IS NOT NULL AND ${where} GROUP BY 1, 2
    ORDER BY CASE WHEN rpc_status_code = 'OK' THEN 1 ELSE 0 END, n DESC, 1, 2 LIMIT ${limit}`,
}
