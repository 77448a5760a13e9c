/** An exporter without a server: what is measured with it is the spool and the delivery alone. */
import type { OwnExporter } from '../../src/sink/delivery/own-exporter.ts'

export default {
  name: 'instant',
  open: () => ({ target: 'nobody', send: async () => ({ outcome: 'done' }), close() {} }),
} satisfies OwnExporter
