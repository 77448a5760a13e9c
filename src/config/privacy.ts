import { privacySchema } from '../privacy/options.ts'
import { headerPatternSchema, patternTrouble } from './choice.ts'

/** The privacy stage's schema, with what it would refuse at the start refused when the file is read, at its place. */
export const checkedPrivacySchema = privacySchema.superRefine((options, context) => {
  const complain = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message })
  const isKeyed = options.hash_key_file !== undefined || options.hash_key_env !== undefined || options.hash_key_ephemeral
  options.headers.forEach((rule, index) => {
    const patterns = typeof rule.match === 'string' ? [rule.match] : rule.match
    patterns.forEach((pattern, place) => {
      const path = ['headers', index, 'match', ...(typeof rule.match === 'string' ? [] : [place])]
      for (const issue of headerPatternSchema.safeParse(pattern).error?.issues ?? []) complain(path, issue.message)
    })
    if (rule.action === 'hash' && !isKeyed) {
      complain(['headers', index, 'action'], 'hash needs a key: set privacy.hash_key_file, hash_key_env or hash_key_ephemeral')
    }
  })
  for (const list of ['secret_names', 'plain_names'] as const) {
    options.query[list].forEach((pattern, index) => {
      const trouble = patternTrouble(pattern)
      if (trouble !== undefined) complain(['query', list, index], trouble)
    })
  }
  options.credentials.patterns.forEach(({ regex }, index) => {
    const trouble = patternTrouble(`/${regex}/`)
    if (trouble !== undefined) complain(['credentials', 'patterns', index, 'regex'], trouble)
  })
  if (options.addresses === 'anonymise' && !isKeyed) {
    complain(['addresses'], 'anonymise needs a key: set privacy.hash_key_file, hash_key_env or hash_key_ephemeral')
  }
  const keys = ['hash_key_file', 'hash_key_env', 'hash_key_ephemeral'] as const
  const [, second] = keys.filter(key => options[key] !== undefined && options[key] !== false)
  if (second !== undefined) complain([second], 'must be the only one of hash_key_file, hash_key_env and hash_key_ephemeral: keep one')
})
