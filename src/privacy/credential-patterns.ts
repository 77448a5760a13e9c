/**
 * What credentials look like, written as a literal and the characters around it, so that the search costs one
 * pass over the text and needs no regular expression.
 *
 * Origin: which services have keys of which form was learned from the rules of gitleaks
 * (github.com/gitleaks/gitleaks, config/gitleaks.toml, MIT licence) and from the services' own pages; the
 * table and its form are Lintel's. It is looser than gitleaks on purpose: literals are compared without case,
 * lengths are least lengths where that is safe.
 */
import {
  CHAR_ALNUM, CHAR_AT, CHAR_COLON, CHAR_DASH, CHAR_DIGIT, CHAR_DOT, CHAR_EQUALS, CHAR_HEX, CHAR_LETTER,
  CHAR_PERCENT, CHAR_PLUS, CHAR_SLASH, CHAR_TILDE, CHAR_WORD, RULE_CONTEXT, RULE_CURL, RULE_FLAG_BEHIND, RULE_FLAG_BOUNDARY,
  RULE_FLAG_CAPITALS, RULE_FLAG_DIGIT, RULE_FLAG_QUOTED, RULE_GENERIC, RULE_JWT, RULE_KUBERNETES,
  RULE_LITERAL, RULE_PEM, RULE_SCHEME, RULE_TO_BRACKET,
} from '../../wasm/wall-numbers.ts'

/** One literal of one kind of credential. Counters are kept by `name`. */
export interface CredentialPattern {
  readonly name: string
  readonly literal: string
  readonly kind: number
  readonly flags: number
  readonly right: number
  readonly rightMin: number
  readonly rightMax: number
  readonly left: number
  readonly leftMin: number
}

const HEX = CHAR_DIGIT | CHAR_HEX
const URL = CHAR_WORD | CHAR_DASH
const URL_PADDED = URL | CHAR_EQUALS
const URL_DOT = URL_PADDED | CHAR_DOT
const BASE64 = CHAR_ALNUM | CHAR_PLUS | CHAR_SLASH
const UUID = HEX | CHAR_DASH
const B = RULE_FLAG_BOUNDARY
const D = RULE_FLAG_DIGIT
const BEHIND = RULE_FLAG_BEHIND

/** Name, literals by blanks, class and least count behind them, greatest count (0 = none), flags. */
type Key = readonly [name: string, literals: string, right: number, min: number, max?: number, flags?: number]

const KEYS: readonly Key[] = [
  ['1password', 'a3-', CHAR_ALNUM | CHAR_DASH, 30, 0, B], ['1password-service', 'ops_eyj', BASE64, 100],
  ['adobe', 'p8e-', CHAR_ALNUM, 32, 0, B], ['age', 'age-secret-key-1', CHAR_ALNUM, 50],
  ['airtable', 'pat', HEX | CHAR_LETTER | CHAR_DOT, 79, 79, B], ['alibaba', 'ltai', CHAR_ALNUM, 16, 24, B],
  ['anthropic', 'sk-ant-', URL, 20, 0, B], ['artifactory', 'akcp cmvmd', CHAR_ALNUM, 56, 0, B],
  ['atlassian', 'atatt3 atctt3', URL_PADDED, 60], ['aws', 'akia asia abia acca', CHAR_ALNUM, 16, 16, B],
  ['aws', 'a3t', CHAR_ALNUM, 17, 17, B], ['aws-bedrock', 'absk', BASE64, 100, 0, B],
  ['aws-bedrock', 'bedrock-api-key-', BASE64, 16], ['clickhouse', '4b1d', CHAR_ALNUM, 38, 38, B],
  ['clojars', 'clojars_', CHAR_ALNUM, 50], ['cloudflare', 'v1.0-', UUID, 160, 0, B],
  ['cloudflare', 'cfpat- cfut_ cfat_ cfk_', URL, 30, 0, B], ['databricks', 'dapi', UUID, 32, 36, B],
  ['digitalocean', 'doo_v1_ dop_v1_ dor_v1_', HEX, 40], ['docker', 'dckr_pat_ dckr_oat_', URL, 20],
  ['doppler', 'dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.', CHAR_ALNUM | CHAR_DOT, 36, 0, B],
  ['duffel', 'duffel_test_ duffel_live_', URL_PADDED, 30],
    ['dynatrace', 'dt0c01. dt0s01.', CHAR_ALNUM | CHAR_DOT, 60],
  ['easypost', 'ezak eztk', CHAR_ALNUM, 54, 0, B], ['facebook', 'eaam eaac eaag eaab', CHAR_ALNUM, 60, 0, B],
  ['figma', 'figd_', URL, 30, 0, B], ['flutterwave', 'flwseck_test- flwpubk_test- flwseck- flwpubk-',
    CHAR_ALNUM, 12],
  ['flyio', 'fo1_', URL, 40, 0, B], ['flyio', 'fm1a_ fm1r_ fm2_', BASE64, 80, 0, B],
    ['frameio', 'fio-u-', URL_PADDED, 50],
  ['gcp', 'aiza', URL, 35, 0, B], ['gcp-oauth', 'ya29.', URL_DOT, 20, 0, B],
    ['gcp-oauth', 'gocspx-', URL, 20, 0, B],
  ['gcp-oauth', '1//0', URL, 30, 0, B], ['github', 'ghp_ gho_ ghu_ ghs_ ghr_', CHAR_ALNUM, 30],
    ['github', 'github_pat_', CHAR_WORD, 60],
  ['gitlab', 'glcbt- gldt- glffct- glft- glimt- glagent- gloas- glpat- glptt- glrt- glsoat- glrtr-', URL, 20],
  ['gitlab', 'gr1348941', URL, 20], ['gitlab-session', '_gitlab_session=', CHAR_ALNUM, 16],
  ['grafana', 'eyjrijoi', CHAR_ALNUM, 50, 0, B], ['grafana', 'glc_', BASE64, 32, 0, B],
    ['grafana', 'glsa_', CHAR_WORD, 32, 0, B],
  ['groq', 'gsk_', CHAR_ALNUM, 40, 0, B], ['harness', 'pat. sat.', URL | CHAR_DOT, 60, 0, B],
    ['heroku', 'hrku-aa', URL, 40],
  ['huggingface', 'hf_', CHAR_ALNUM, 30, 0, B], ['huggingface', 'api_org_', CHAR_ALNUM, 30],
    ['infracost', 'ico-', CHAR_ALNUM, 32, 0, B],
  ['intra42', 's-s4t2ud- s-s4t2af-', HEX, 50], ['linear', 'lin_api_ lin_oauth_', CHAR_ALNUM, 30],
  ['lob', 'live_pub_ test_pub_', HEX, 31, 0, B], ['mailgun', 'key-', HEX, 32, 32, B],
    ['newrelic', 'nrak- nrii- nrjs-', URL, 19, 0, B],
  ['notion', 'ntn_', CHAR_ALNUM, 40, 0, B], ['npm', 'npm_', CHAR_ALNUM, 36, 0, B],
    ['nvidia', 'nvapi-', URL, 40, 0, B],
  ['octopus', 'api-', CHAR_ALNUM, 26, 30, B], ['openai', 'sk-', URL, 20, 0, B | D], ['openai', 'sk-proj- sk-svcacct- sk-admin- sk-or-v1-', URL, 20, 0, B],
    ['openshift', 'sha256~', URL, 40, 0, B],
  ['perplexity', 'pplx-', CHAR_ALNUM, 40, 0, B], ['planetscale', 'pscale_tkn_ pscale_oauth_ pscale_pw_',
    URL_DOT, 30],
  ['posthog', 'phx_ phs_', CHAR_ALNUM, 30, 0, B], ['postman', 'pmak-', UUID, 50, 0, B],
    ['prefect', 'pnu_', CHAR_ALNUM, 36, 0, B],
  ['pulumi', 'pul-', HEX, 40, 0, B], ['pypi', 'pypi-', URL, 50], ['readme', 'rdme_', CHAR_ALNUM, 60, 0, B],
  ['replicate', 'r8_', CHAR_ALNUM, 37, 0, B], ['rubygems', 'rubygems_', HEX, 40],
    ['scalingo', 'tk-us-', URL, 40, 0, B],
  ['sendgrid', 'sg.', URL_DOT, 60, 0, B], ['sendinblue', 'xkeysib- xsmtpsib-', CHAR_ALNUM | CHAR_DASH, 60],
  ['sentry', 'sntrys_ sntryu_', BASE64 | CHAR_WORD | CHAR_EQUALS, 50],
    ['settlemint', 'sm_aat_ sm_pat_ sm_sat_', CHAR_ALNUM, 16],
  ['shippo', 'shippo_live_ shippo_test_', HEX, 30],
    ['shopify', 'shpat_ shpca_ shppa_ shpss_ shpua_', HEX, 32],
  ['slack', 'xapp- xoxa- xoxb- xoxc- xoxd- xoxe- xoxo- xoxp- xoxr- xoxs- xoxe.xox', URL | CHAR_DOT |
    CHAR_PERCENT, 8],
  ['slack-webhook', 'services/t workflows/t triggers/t services/e', BASE64, 36],
    ['sourcegraph', 'sgp_', CHAR_WORD, 40, 0],
  ['slack-webhook', 'hooks.slack.com/services/ hooks.slack.com/workflows/ hooks.slack.com/triggers/', BASE64,
    30],
  ['square', 'eaaa', URL, 22, 60, B | RULE_FLAG_CAPITALS], ['square', 'sq0atp- sq0csp-', URL, 22, 60, B],
  ['stripe', 'sk_live_ sk_test_ sk_prod_ rk_live_ rk_test_ rk_prod_ whsec_', CHAR_ALNUM, 10, 0, B],
  ['supabase', 'sbp_ sb_secret_', CHAR_WORD, 24, 0, B], ['tailscale', 'tskey-', URL, 20, 0, B],
    ['tavily', 'tvly-', URL, 20, 0, B],
  ['teams-webhook', '/webhookb2/', HEX | CHAR_LETTER | CHAR_DASH | CHAR_AT | CHAR_SLASH | CHAR_PERCENT, 60],
  ['discord-webhook', '/webhooks/', URL | CHAR_SLASH, 60], ['twilio', 'sk', HEX, 32, 32, B],
    ['typeform', 'tfp_', URL_DOT, 40, 0, B],
  ['vault', 'hvs. hvb. hvr.', URL, 60, 0, B], ['vault', 's.', CHAR_ALNUM, 24, 24, B],
    ['vercel', 'vcp_ vci_ vca_ vcr_ vck_', CHAR_ALNUM, 24, 0, B],
  ['xai', 'xai-', CHAR_ALNUM, 60, 0, B], ['yandex', 't1.', URL_DOT, 90, 0, B],
    ['yandex', 'aqvn', URL, 35, 0, B],
  ['dropbox', 'sl.', URL_PADDED, 100, 0, B], ['jwt-in-base64', 'zxlk', BASE64 | URL, 6, 0, B],
    ['defined-networking', 'dnkey-', URL_PADDED, 60],
  // Links that are sent to one person: whoever has them is let in.
  ['path-token', '/reset-password/ /password-reset/ /password/reset/ /password/edit/ /forgot-password/ /magic-link/ /magic/',
    URL_DOT, 20, 0, D | BEHIND],
  ['path-token', '/verify/ /verify-email/ /email-verification/ /confirm/ /confirm-email/ /confirmation/ /activate/ /activation/',
    URL_DOT, 24, 0, D | BEHIND],
  ['path-token', '/invite/ /invites/ /invitation/ /invitations/ /accept-invite/ /unsubscribe/ /unlock/', URL_DOT, 24, 0, D | BEHIND],
  ['beamer', 'b_', URL_PADDED, 44, 44, B], ['contentful', 'cfpat-', URL, 30, 0, B],
    ['gocardless', 'live_', URL_PADDED, 40, 40, B],
  ['plaid', 'access-sandbox- access-development- access-production-', UUID, 36],
    ['mailgun', 'pubkey-', HEX, 32],
]

/**
 * Literals that stand inside or behind the secret: name, literals, class and least count in front, the same
 * behind.
 */
type Infix = readonly [name: string, literals: string, left: number, leftMin: number, right: number,
  rightMin: number, rightMax?: number]

const INFIXES: readonly Infix[] = [
  ['azure', 'q~', CHAR_WORD | CHAR_TILDE | CHAR_DOT, 4, URL | CHAR_DOT | CHAR_TILDE, 28, 40],
  ['authress', '.acc_ .acc-', CHAR_ALNUM | CHAR_DOT | CHAR_WORD, 10, URL_DOT | CHAR_PLUS | CHAR_SLASH, 40],
  ['terraform', '.atlasv1.', CHAR_ALNUM, 10, URL_PADDED, 40],
  ['facebook-app', '| %', CHAR_DIGIT, 15, URL, 27, 50], ['maxmind', '_mmk', CHAR_WORD, 36, CHAR_ALNUM, 0],
  ['openai', 't3blbkfj', URL, 20, URL, 20], ['telegram', ':a', CHAR_DIGIT, 5, URL, 34, 36],
  ['telegram', '%3aa', CHAR_DIGIT, 5, URL, 34, 36], ['mailchimp', '-us', HEX, 32, CHAR_DIGIT, 1, 3],
  ['mapbox', 'pk.eyj sk.eyj tk.eyj', CHAR_ALNUM, 0, URL_DOT, 40],
]

/**
 * Words with the secret behind an operator (`heroku_key = ...`): name, words, class, least and greatest
 * count.
 */
type Context = readonly [name: string, words: string, right: number, min: number, max: number]

const LOWER36 = CHAR_ALNUM
const CONTEXTS: readonly Context[] = [
  ['adafruit', 'adafruit', URL, 32, 32], ['adobe', 'adobe', HEX, 32, 32],
  ['airtable', 'airtable', LOWER36, 17, 17], ['algolia', 'algolia', LOWER36, 32, 32],
  ['alibaba', 'alibaba aliyun', LOWER36, 30, 30], ['asana', 'asana', CHAR_DIGIT, 16, 16],
  ['asana', 'asana', LOWER36, 32, 32], ['atlassian', 'atlassian confluence jira', LOWER36, 24, 24],
  ['beamer', 'beamer', URL_PADDED, 46, 46], ['bitbucket', 'bitbucket', LOWER36, 32, 32],
  ['bitbucket', 'bitbucket', URL_PADDED, 64, 64], ['bittrex', 'bittrex', LOWER36, 32, 32],
  ['meraki', 'meraki', HEX, 40, 40], ['cloudflare', 'cloudflare', URL, 40, 40],
  ['cloudflare', 'cloudflare', HEX, 37, 37], ['codecov', 'codecov', LOWER36, 32, 32],
  ['cohere', 'cohere co_api_key', CHAR_ALNUM, 40, 40], ['coinbase', 'coinbase', URL, 64, 64],
  ['confluent', 'confluent', LOWER36, 16, 16], ['confluent', 'confluent', LOWER36, 64, 64],
  ['contentful', 'contentful', URL_PADDED, 43, 43], ['datadog', 'datadog', LOWER36, 40, 40],
  ['datadog', 'dd_api_key dd-api-key', HEX, 32, 32], ['discord', 'discord', HEX, 64, 64],
  ['discord', 'discord', CHAR_DIGIT, 18, 19], ['discord', 'discord', URL_PADDED, 32, 32],
  ['droneci', 'droneci', LOWER36, 32, 32], ['dropbox', 'dropbox', LOWER36, 15, 15],
  ['dropbox', 'dropbox', URL_PADDED | CHAR_DOT, 64, 160], ['etsy', 'etsy', LOWER36, 24, 24],
  ['facebook', 'facebook', HEX, 32, 32], ['fastly', 'fastly', URL_PADDED, 32, 32],
  ['finicity', 'finicity', HEX, 32, 32], ['finicity', 'finicity', LOWER36, 20, 20],
  ['finnhub', 'finnhub', LOWER36, 20, 20], ['flickr', 'flickr', LOWER36, 32, 32],
  ['freshbooks', 'freshbooks', LOWER36, 64, 64], ['gitter', 'gitter', URL, 40, 40],
  ['gocardless', 'gocardless', URL_PADDED, 45, 45], ['heroku', 'heroku', UUID, 36, 36],
  ['hubspot', 'hubspot', UUID, 36, 36], ['intercom', 'intercom', URL_PADDED, 60, 60],
  ['jfrog', 'jfrog artifactory bintray xray', LOWER36, 64, 73],
  ['kraken', 'kraken', URL_PADDED | CHAR_PLUS | CHAR_SLASH, 80, 90], ['kucoin', 'kucoin', HEX, 24, 24],
  ['kucoin', 'kucoin', UUID, 36, 36], ['launchdarkly', 'launchdarkly', URL_PADDED, 40, 40],
  ['linear', 'linear', HEX, 32, 32], ['linkedin', 'linkedin linked_in linked-in', LOWER36, 14, 16],
  ['lob', 'lob', CHAR_WORD, 40, 40], ['looker', 'looker', LOWER36, 20, 24],
  ['mailchimp', 'mailchimp mailchimpsdk.initialize', UUID | CHAR_LETTER, 36, 37],
  ['mailgun', 'mailgun', URL, 36, 50], ['mapbox', 'mapbox', CHAR_ALNUM | CHAR_DOT, 86, 86],
  ['mattermost', 'mattermost', LOWER36, 26, 26],
  ['messagebird', 'messagebird message_bird message-bird', LOWER36, 25, 25],
  ['messagebird', 'messagebird message_bird message-bird', UUID, 36, 36],
  ['netlify', 'netlify', URL_PADDED, 40, 46], ['newrelic', 'newrelic new-relic new_relic', LOWER36, 64, 64],
  ['nytimes', 'nytimes new-york-times new-york-times, newyorktimes', URL_PADDED, 32, 32],
  ['okta', 'okta', URL_PADDED, 42, 42], ['plaid', 'plaid', LOWER36, 24, 30],
  ['plaid', 'plaid', UUID | CHAR_LETTER, 40, 56],
  ['privateai', 'privateai private_ai private-ai', LOWER36, 32, 32], ['rapidapi', 'rapidapi', URL, 50, 50],
  ['sendbird', 'sendbird', UUID, 36, 40], ['sentry', 'sentry', HEX, 64, 64],
  ['signed-query', 'sign', HEX, 32, 64],
  ['sidekiq', 'bundle_enterprise__contribsys__com bundle_gems__contribsys__com', HEX | CHAR_COLON, 17, 17],
  ['snyk', 'snyk', UUID, 36, 36], ['sonar', 'sonar', URL_PADDED, 40, 44],
  ['sourcegraph', 'sourcegraph', HEX, 40, 40], ['squarespace', 'squarespace', UUID, 36, 36],
  ['sumologic', 'sumo', CHAR_ALNUM, 14, 14], ['sumologic', 'sumo', LOWER36, 64, 64],
  ['telegram', 'telegr', CHAR_COLON | URL, 40, 52], ['travis', 'travis', LOWER36, 22, 22],
  ['twitch', 'twitch', LOWER36, 30, 30], ['twitter', 'twitter', LOWER36, 45, 45],
  ['twitter', 'twitter', URL, 36, 66], ['twitter', 'twitter', LOWER36, 25, 25],
  ['twitter', 'twitter', LOWER36, 50, 50], ['twitter', 'twitter', CHAR_ALNUM | CHAR_PERCENT, 102, 122],
  ['yandex', 'yandex', URL, 40, 44], ['zendesk', 'zendesk', LOWER36, 40, 40],
  ['azure-storage', 'accountkey', BASE64, 60, 88],
  ['facebook-app', 'facebook', CHAR_DIGIT | CHAR_PERCENT | URL, 44, 60],
]

const GENERIC_WORDS = 'credential creds secret token access auth key'

/** What needs more than counting: the kind says how (wasm/credential-rule.ts). */
type Special = readonly [name: string, literals: string, kind: number]

const SPECIALS: readonly Special[] = [
  ['bearer', 'bearer\u0020', RULE_SCHEME], ['basic', 'basic\u0020', RULE_SCHEME],
  ['negotiate', 'negotiate\u0020', RULE_SCHEME], ['ntlm', 'ntlm\u0020', RULE_SCHEME],
  ['private-key', '-----begin', RULE_PEM], ['jwt', 'ey', RULE_JWT],
  ['nuget', '<add\u0020key', RULE_TO_BRACKET], ['kubernetes', 'kind:', RULE_KUBERNETES],
  ['curl', 'curl', RULE_CURL],
]

/** Literals are separated by plain blanks; one that ends in a blank is written alone. */
function literals(text: string, kind: number): string[] {
  return kind === RULE_SCHEME || kind === RULE_TO_BRACKET ? [text] : text.split(' ')
}

function build(): CredentialPattern[] {
  const all: CredentialPattern[] = []
  const none = { flags: 0, right: 0, rightMin: 0, rightMax: 0, left: 0, leftMin: 0 }
  for (const [name, text, right, rightMin, rightMax = 0, flags = 0] of KEYS) {
    for (const literal of text.split(' ')) all.push({ ...none, name, literal, kind: RULE_LITERAL, flags,
      right, rightMin, rightMax })
  }
  for (const [name, text, left, leftMin, right, rightMin, rightMax = 0] of INFIXES) {
    for (const literal of text.split(' ')) {
      all.push({ name, literal, kind: RULE_LITERAL, flags: 0, right, rightMin, rightMax, left, leftMin })
    }
  }
  for (const [name, text, right, rightMin, rightMax] of CONTEXTS) {
    for (const literal of text.split(' ')) all.push({ ...none, name, literal, kind: RULE_CONTEXT, right,
      rightMin, rightMax })
  }
  const generic = { ...none, name: 'generic', kind: RULE_GENERIC, right: URL_DOT | BASE64, rightMin: 10,
    rightMax: 250 }
  for (const literal of GENERIC_WORDS.split(' ')) all.push({ ...generic, literal })
  all.push({ ...generic, literal: 'api', flags: RULE_FLAG_BOUNDARY }) // not "tilapia"
  all.push({ ...generic, literal: 'passw', rightMin: 8, flags: RULE_FLAG_QUOTED })
  for (const [name, text, kind] of SPECIALS) {
    for (const literal of literals(text, kind)) all.push({ ...none, name, literal, kind })
  }
  return all
}

export const CREDENTIAL_PATTERNS: readonly CredentialPattern[] = build()
