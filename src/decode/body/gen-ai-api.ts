/** What a chat-completion API is, by the host and path of a request: OpenTelemetry's names (semantic conventions for generative AI). */
export interface GenAiApi {
  /** gen_ai.operation.name; undefined = the path does not say. */
  readonly operation: string | undefined
  /** gen_ai.provider.name: whose API it is, by its host, else by its form. */
  readonly provider: string | undefined
  /** The model, where the path names it. */
  readonly model: string | undefined
}

/** Paths of the APIs, wherever a gateway has put them; * stands for any characters. */
export const GEN_AI_PATHS = [
  '*/chat/completions', '*/v1/completions', '*/deployments/*/completions', '*/v1/responses', '*/openai/responses', '*/v1/embeddings',
  '*/deployments/*/embeddings', '*/v1/messages', '*/models/*:generateContent', '*/models/*:streamGenerateContent',
  '*/models/*:embedContent', '*/model/*/converse', '*/model/*/converse-stream', '*/model/*/invoke',
  '*/model/*/invoke-with-response-stream',
] as const

/** gen_ai.provider.name by the end of the host. */
const HOSTS: readonly (readonly [string, string])[] = [
  ['api.openai.com', 'openai'], ['.openai.azure.com', 'azure.ai.openai'], ['.cognitiveservices.azure.com', 'azure.ai.openai'],
  ['.services.ai.azure.com', 'azure.ai.inference'], ['api.anthropic.com', 'anthropic'],
  ['generativelanguage.googleapis.com', 'gcp.gemini'], ['aiplatform.googleapis.com', 'gcp.vertex_ai'],
  ['.amazonaws.com', 'aws.bedrock'], ['api.mistral.ai', 'mistral_ai'], ['api.cohere.com', 'cohere'], ['api.cohere.ai', 'cohere'],
  ['api.groq.com', 'groq'], ['api.deepseek.com', 'deepseek'], ['api.perplexity.ai', 'perplexity'], ['api.x.ai', 'x_ai'],
]

interface Form {
  readonly path: RegExp
  readonly operation: string
  readonly provider: string
}

/** By the end of the path; `model`, where it is in there. */
const FORMS: readonly Form[] = [
  { path: /\/openai\/deployments\/(?<model>[^/]+)\/chat\/completions$/, operation: 'chat', provider: 'azure.ai.openai' },
  { path: /\/openai\/deployments\/(?<model>[^/]+)\/completions$/, operation: 'text_completion', provider: 'azure.ai.openai' },
  { path: /\/openai\/deployments\/(?<model>[^/]+)\/embeddings$/, operation: 'embeddings', provider: 'azure.ai.openai' },
  { path: /\/chat\/completions$/, operation: 'chat', provider: 'openai' },
  { path: /\/completions$/, operation: 'text_completion', provider: 'openai' },
  { path: /\/responses$/, operation: 'chat', provider: 'openai' },
  { path: /\/messages$/, operation: 'chat', provider: 'anthropic' },
  { path: /\/publishers\/[^/]+\/models\/(?<model>[^/:]+):(?:streamG|g)enerateContent$/, operation: 'generate_content', provider: 'gcp.vertex_ai' },
  { path: /\/models\/(?<model>[^/:]+):(?:streamG|g)enerateContent$/, operation: 'generate_content', provider: 'gcp.gemini' },
  { path: /\/models\/(?<model>[^/:]+):embedContent$/, operation: 'embeddings', provider: 'gcp.gemini' },
  { path: /\/embeddings$/, operation: 'embeddings', provider: 'openai' },
  { path: /\/model\/(?<model>[^/]+)\/(?:converse|invoke)(?:-stream|-with-response-stream)?$/, operation: 'chat', provider: 'aws.bedrock' },
]

/** @param host in small letters, without port; '' = not known */
export function genAiApi(host: string, path: string): GenAiApi {
  const form = FORMS.find((candidate) => candidate.path.test(path))
  const provider = HOSTS.find(([end]) => isHost(host, end))?.[1]
  return {
    operation: form?.operation,
    provider: provider ?? form?.provider,
    model: decoded(form?.path.exec(path)?.groups?.model),
  }
}

/** A host, one of its domain, or of a region: us-central1-aiplatform.googleapis.com. */
function isHost(host: string, end: string): boolean {
  if (!host.endsWith(end)) return false
  const before = host.at(-end.length - 1)
  return end.startsWith('.') || host === end || before === '.' || before === '-'
}

/** A name in a path, its percent-encoding taken off. */
function decoded(text: string | undefined): string | undefined {
  if (text === undefined || !text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
