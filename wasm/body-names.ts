/**
 * The members that bodies of chat-completion APIs are read for, as a tree of names: those of OpenAI (chat completions, responses,
 * embeddings) and who speaks like it, Anthropic (messages), Gemini (generateContent) and Bedrock (converse). No two of them mean
 * different things by a name at the same place, so one tree serves them all.
 */
import {
  BODY_ESCAPED, BODY_FLAGS, BODY_TEXT, BODY_TEXT_LENGTH, COUNT_CACHED, COUNT_CACHE_READ, COUNT_CACHE_WRITE, COUNT_INPUT, COUNT_OUTPUT,
  COUNT_PROMPT, COUNT_REASONING, COUNT_THOUGHTS,
} from './body-contract'
import { equalBytes } from './copy'
import { unescape } from './json-scan'
import { writeAscii } from './short-text'

// Targets: what becomes of a value.
export const TARGET_NONE: u32 = 0
export const TARGET_MODEL: u32 = 1
/** And up: COUNT_*. */
export const TARGET_COUNT: u32 = 16
/** And up: the node that the object is. */
export const TARGET_NODE: u32 = 128

export const NODE_ROOT: u32 = 0
const NODE_ENVELOPE: u32 = 1 // what an event of a stream holds the message in
const NODE_USAGE: u32 = 2
const NODE_INPUT_DETAILS: u32 = 3
const NODE_OUTPUT_DETAILS: u32 = 4

const ENTRY: usize = 48 // u8 node, u8 target, u8 length, name from 8 on
/** The longest of the names, every letter as an escape. */
const NAME_ESCAPED_MAX: u32 = 180
const entries: usize = memory.data(48 * 40)
const plain: usize = memory.data(288)
let count: usize = 0

function name(node: u32, text: string, target: u32): void {
  const entry = entries + count * ENTRY
  store<u8>(entry, node)
  store<u8>(entry, target, 1)
  store<u8>(entry, <u8>writeAscii(text, entry + 8), 2)
  count++
}

for (let node: u32 = NODE_ROOT; node <= NODE_ENVELOPE; node++) {
  name(node, 'model', TARGET_MODEL)
  name(node, 'usage', TARGET_NODE + NODE_USAGE)
}
name(NODE_ROOT, 'modelVersion', TARGET_MODEL)
name(NODE_ROOT, 'usageMetadata', TARGET_NODE + NODE_USAGE)
name(NODE_ROOT, 'response', TARGET_NODE + NODE_ENVELOPE) // response.completed of OpenAI
name(NODE_ROOT, 'message', TARGET_NODE + NODE_ENVELOPE) // message_start of Anthropic
name(NODE_USAGE, 'prompt_tokens', TARGET_COUNT + COUNT_PROMPT)
name(NODE_USAGE, 'promptTokenCount', TARGET_COUNT + COUNT_PROMPT)
name(NODE_USAGE, 'input_tokens', TARGET_COUNT + COUNT_INPUT)
name(NODE_USAGE, 'inputTokens', TARGET_COUNT + COUNT_INPUT)
name(NODE_USAGE, 'completion_tokens', TARGET_COUNT + COUNT_OUTPUT)
name(NODE_USAGE, 'output_tokens', TARGET_COUNT + COUNT_OUTPUT)
name(NODE_USAGE, 'outputTokens', TARGET_COUNT + COUNT_OUTPUT)
name(NODE_USAGE, 'candidatesTokenCount', TARGET_COUNT + COUNT_OUTPUT)
name(NODE_USAGE, 'thoughtsTokenCount', TARGET_COUNT + COUNT_THOUGHTS)
name(NODE_USAGE, 'cachedContentTokenCount', TARGET_COUNT + COUNT_CACHED)
name(NODE_USAGE, 'cache_read_input_tokens', TARGET_COUNT + COUNT_CACHE_READ)
name(NODE_USAGE, 'cacheReadInputTokens', TARGET_COUNT + COUNT_CACHE_READ)
name(NODE_USAGE, 'cache_creation_input_tokens', TARGET_COUNT + COUNT_CACHE_WRITE)
name(NODE_USAGE, 'cacheWriteInputTokens', TARGET_COUNT + COUNT_CACHE_WRITE)
name(NODE_USAGE, 'prompt_tokens_details', TARGET_NODE + NODE_INPUT_DETAILS)
name(NODE_USAGE, 'input_tokens_details', TARGET_NODE + NODE_INPUT_DETAILS)
name(NODE_USAGE, 'completion_tokens_details', TARGET_NODE + NODE_OUTPUT_DETAILS)
name(NODE_USAGE, 'output_tokens_details', TARGET_NODE + NODE_OUTPUT_DETAILS)
name(NODE_INPUT_DETAILS, 'cached_tokens', TARGET_COUNT + COUNT_CACHED)
name(NODE_OUTPUT_DETAILS, 'reasoning_tokens', TARGET_COUNT + COUNT_REASONING)

/** What becomes of the value behind the name that `body` holds, in an object that is `node`. */
export function targetOf(body: usize, node: u32): u32 {
  let at = body + BODY_TEXT
  let length = load<u32>(body, BODY_TEXT_LENGTH)
  if ((load<u8>(body, BODY_FLAGS) & BODY_ESCAPED) != 0) {
    if (length > NAME_ESCAPED_MAX) return TARGET_NONE
    const end = unescape(at, at + length, plain)
    if (end == 0) return TARGET_NONE
    at = plain
    length = <u32>(end - plain)
  }
  for (let entry = entries, end = entries + count * ENTRY; entry < end; entry += ENTRY) {
    if (<u32>load<u8>(entry) != node || <u32>load<u8>(entry, 2) != length) continue
    if (equalBytes(at, entry + 8, length)) return load<u8>(entry, 1)
  }
  return TARGET_NONE
}
