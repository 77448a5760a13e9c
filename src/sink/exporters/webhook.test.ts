import { exporterSuite } from './exporter.suite.ts'
import { WEBHOOKS } from './testing/subjects/webhook.ts'

for (const subject of WEBHOOKS) exporterSuite(subject)
