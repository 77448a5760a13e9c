/** The page: everything else comes by its modules. */
export const PAGE_HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<title>Lintel</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/lib/uplot.css">
<link rel="stylesheet" href="/page/page.css">
<script type="module" src="/page/main.ts"></script>
</head>
<body><noscript>This page needs JavaScript.</noscript><div id="page"></div></body>
</html>
`

export const ICON_SVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="#3b82f6" d="M3 6h26v7H3z"/>
<path fill="#64748b" d="M6 15h5v12H6zm15 0h5v12h-5z"/></svg>
`

/** A link from another site comes without the cookie (SameSite=Strict); the same address asked by this page comes with it. */
export const AGAIN_HTML = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="0"><title>Lintel</title></head></html>
`

const TOKEN_FIELD = '<label for="token">Token</label> <input id="token" name="token" type="password" autocomplete="off" required autofocus>'
const USER_FIELDS = `<p><label for="name">Name</label> <input id="name" name="name" autocomplete="username" required autofocus maxlength="64"></p>
<p><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="1024"></p>`

export interface LoginForm {
  /** Where to go then, a path of this server. */
  readonly next: string
  readonly message: string
  /** Asks for a name and a password instead of the token. */
  readonly hasUsers: boolean
}

/** Asks who wants to look. */
export function loginHtml({ next, message, hasUsers }: LoginForm): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<title>Lintel: who?</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/page/page.css">
</head>
<body><main class="login"><h1>Lintel</h1>
<p>${escaped(message)}</p>
<form method="post" action="/login">
<input type="hidden" name="next" value="${escaped(next)}">
${hasUsers ? USER_FIELDS : TOKEN_FIELD}
<button>Open</button>
</form></main></body>
</html>
`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;')
}
