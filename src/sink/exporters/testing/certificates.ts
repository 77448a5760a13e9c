import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface CertificateFiles {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** An authority and a certificate of it for `name`, by openssl(1), as files in `folder`. */
export function makeCertificates(folder: string, name: string, subject: string): CertificateFiles {
  const at = (file: string): string => join(folder, `${name}-${file}`)
  const openssl = (...args: string[]): void => { execFileSync('openssl', args, { stdio: 'pipe' }) }
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...fresh, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-days', '2', '-subj', `/CN=${name} authority`)
  openssl('req', ...fresh, '-keyout', at('key.pem'), '-out', at('csr.pem'), '-subj', `/CN=${name}`)
  writeFileSync(at('ext'), `subjectAltName=${subject}\n`)
  openssl('x509', '-req', '-in', at('csr.pem'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-out', at('cert.pem'), '-days', '2', '-extfile', at('ext'))
  return { ca: at('ca.pem'), cert: at('cert.pem'), key: at('key.pem') }
}

export function readIdentity({ cert, key }: CertificateFiles): { key: string, cert: string } {
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
}
