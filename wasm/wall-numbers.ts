/**
 * Numbers that the wall's tables are written in, read by AssemblyScript and TypeScript alike: plain numbers,
 * one definition (the tables' layout: automaton.ts).
 */

// Character classes of the patterns, one bit each.
export const CHAR_DIGIT = 1
export const CHAR_HEX = 2 // a-f, A-F
export const CHAR_LOWER = 4
export const CHAR_UPPER = 8
export const CHAR_UNDERSCORE = 16
export const CHAR_DASH = 32
export const CHAR_DOT = 64
export const CHAR_EQUALS = 128
export const CHAR_PLUS = 256
export const CHAR_SLASH = 512
export const CHAR_TILDE = 1024
export const CHAR_PERCENT = 2048
export const CHAR_COLON = 4096
export const CHAR_AT = 8192
export const CHAR_SPACE = 16384 // space, tab, CR, LF
export const CHAR_QUOTE = 32768 // " ' `
export const CHAR_LETTER = 12
export const CHAR_ALNUM = 13
export const CHAR_WORD = 29

// What makes a literal a credential.
export const RULE_LITERAL = 0 // literal, then (and before it) so many of a class
export const RULE_CONTEXT = 1 // word, then = or : or the like, then the secret
export const RULE_GENERIC = 2 // as CONTEXT; the secret must look random
export const RULE_SCHEME = 3 // "Bearer ", "Basic ", ...
export const RULE_PEM = 4
export const RULE_JWT = 5
export const RULE_TO_BRACKET = 6 // hidden up to the next '>'
export const RULE_KUBERNETES = 7
export const RULE_CURL = 8
export const RULE_FLAG_BOUNDARY = 1 // no letter or digit right in front
export const RULE_FLAG_DIGIT = 2 // a digit among what follows
export const RULE_FLAG_CAPITALS = 8 // the literal is written in capitals: in small letters it is found in ids
export const RULE_FLAG_QUOTED = 4 // RULE_GENERIC: in quotes it is a secret whatever it looks like
/** Only what is behind the literal is secret. */
export const RULE_FLAG_BEHIND = 16

// Names of secret things.
export const NAME_EXACT = 0
export const NAME_SUFFIX = 1
export const NAME_CONTAINS = 2
export const NAME_EXEMPT = 3 // exact, and not secret whatever else matches
export const NAME_FLAG_WEAK = 1 // secret as the name of a query parameter, too common a word elsewhere
export const NAME_FLAG_BOUNDARY = 2 // must begin a word: after a separator, or a capital after a small letter

// What is done with the fields of a header name.
export const ACTION_DROP = 0
export const ACTION_KEEP = 1 // value searched for credentials, and for addresses when those are hidden
export const ACTION_PRESENCE = 2
export const ACTION_HASH = 3
export const ACTION_SCHEME = 4 // authorization: scheme kept
export const ACTION_COOKIE = 5
export const ACTION_SET_COOKIE = 6
export const ACTION_HOST = 7 // as KEEP, and user info in front of an at sign is hidden
export const ACTION_PROTOCOLS = 8 // Sec-WebSocket-Protocol: a list in which tokens are carried
export const ACTION_PRODUCTS = 9 // as KEEP; what looks like an address behind "name/" is a version
export const ACTION_COUNT = 10

// What is done with the addresses of a record.
export const ADDRESS_KEEP = 0
export const ADDRESS_ANONYMISE = 1
export const ADDRESS_TRUNCATE = 2

// How a field of a record built in TypeScript is checked (one byte for each field id).
export const FIELD_HIDDEN = 0 // not logged
export const FIELD_PLAIN = 1
export const FIELD_TEXT = 2 // by its type: address, MAC, or a text that is searched
export const FIELD_QUERY = 3
export const FIELD_REQUEST_HEADERS = 4
export const FIELD_RESPONSE_HEADERS = 5
export const FIELD_SUBPROTOCOL = 6 // as the response header Sec-WebSocket-Protocol
export const FIELD_EXTENSIONS = 7 // as the response header Sec-WebSocket-Extensions
export const FIELD_ARGUMENTS = 8 // arguments of a process, with NULs between them
