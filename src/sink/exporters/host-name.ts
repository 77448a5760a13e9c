import { hostname } from 'node:os'
import { z } from 'zod'

/** Of the machine that records come from, for outputs that tell records of many agents apart by it. At most 253 characters (RFC 1035 2.3.4). */
export const hostNameSchema = z.string().min(1, 'must not be empty').max(253, 'must be 253 characters at most').optional()

/** @returns the name that is configured, else this machine's */
export function hostNameOf({ host_name: name }: { readonly host_name?: string | undefined }): string {
  return name ?? hostname()
}
