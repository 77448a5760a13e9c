import { exporterSuite } from './exporter.suite.ts'
import { VICTORIALOGS } from './testing/subjects/victorialogs.ts'

exporterSuite(VICTORIALOGS)
