import { exporterSuite } from './exporter.suite.ts'
import { LOKI } from './testing/subjects/loki.ts'

exporterSuite(LOKI)
