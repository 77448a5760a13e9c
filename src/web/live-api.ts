import type { Hono } from 'hono'
import { FilterError } from '../sink/mod.ts'
import { type Audit, fieldsIn } from './audit.ts'
import { addressOf } from './door.ts'
import type { PageEnvironment } from './guard.ts'
import { type LiveTail, TooManyClientsError } from './live-tail.ts'
import { ForbiddenError, requireOperator } from './role.ts'

/** The stream of what is logged now, and whether a filter can be used for it. */
export function addLiveApi(app: Hono<PageEnvironment>, live: LiveTail, audit: Audit): void {
  app.get('/api/live', context => {
    const filter = (context.req.query('filter') ?? '').trim()
    try {
      requireOperator(context.get('role'), 'live records')
      const stream = live.open(filter)
      const by = filter === '' ? '' : `, filtered by ${fieldsIn(filter, live.fields)}`
      audit.looked(context.get('session'), addressOf(context), `live records${by}`)
      context.header('content-type', 'text/event-stream')
      return context.body(stream)
    } catch (error) {
      if (error instanceof ForbiddenError) {
        audit.said(context.get('session'), addressOf(context), 'was refused live records')
        return context.json({ error: error.message }, 403)
      }
      if (error instanceof FilterError) return context.json({ error: error.message }, 400)
      if (error instanceof TooManyClientsError) return context.json({ error: error.message }, 503)
      throw error
    }
  })
}
