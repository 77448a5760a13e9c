import type { View } from '../view.ts'
import { anomalies } from './anomalies.ts'
import { clients } from './clients.ts'
import { connectionTroubles, troubledClients, troubledHosts } from './connection-troubles.ts'
import { connections } from './connections.ts'
import { failingRoutes } from './failing-routes.ts'
import { headerNames } from './header-names.ts'
import { hosts } from './hosts.ts'
import { inventory } from './inventory.ts'
import { marks } from './marks.ts'
import { methods } from './methods.ts'
import { routes } from './routes.ts'
import { rpcStatuses } from './rpc-statuses.ts'
import { slowRoutes } from './slow-routes.ts'
import { span } from './span.ts'
import { statusClasses } from './status-classes.ts'
import { statuses } from './statuses.ts'
import { totals } from './totals.ts'
import { traffic } from './traffic.ts'
import { userAgentClasses } from './user-agent-classes.ts'
import { userAgents } from './user-agents.ts'

/** One line per view. */
export const VIEWS: readonly View[] = [
  span, totals, traffic, statusClasses, methods, statuses, hosts, routes, clients, userAgentClasses, userAgents, slowRoutes, failingRoutes,
  rpcStatuses, connections, inventory, anomalies, marks, headerNames, connectionTroubles, troubledHosts, troubledClients,
]
