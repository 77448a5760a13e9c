import { exporterSuite } from './exporter.suite.ts'
import { INFLUXDBS } from './testing/subjects/influxdb.ts'

for (const subject of INFLUXDBS) exporterSuite(subject)
