import { readdirSync, readFileSync } from 'node:fs'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Asset {
  readonly body: string
  readonly type: string
}

const FOLDER = fileURLToPath(new URL('page/', import.meta.url))
const SCRIPT = 'text/javascript; charset=utf-8'
const STYLE = 'text/css; charset=utf-8'

/** Libraries of the page: the name in an import, its package, its file there, its place on the server. */
const LIBRARIES: readonly (readonly [name: string, pack: string, file: string, path: string])[] = [
  ['preact', 'preact', 'dist/preact.mjs', '/lib/preact.js'],
  ['preact/hooks', 'preact', 'hooks/dist/hooks.mjs', '/lib/hooks.js'],
  ['htm', 'htm', 'dist/htm.module.js', '/lib/htm.js'],
  ['uplot', 'uplot', 'dist/uPlot.esm.js', '/lib/uplot.js'],
]
const PLACES: ReadonlyMap<string, string> = new Map(LIBRARIES.map(([name, , , path]) => [name, path]))
/** Would be asked for by the browser's tools. */
const SOURCE_MAP = /\n\/\/# sourceMappingURL=.*\s*$/
const BARE_IMPORT = /(\bfrom\s*)(["'])([a-z][a-z/]*)\2/g

/**
 * What a browser may load, by path, read once: the page's modules with their types taken out, and four libraries as their
 * packages ship them. Names of packages in imports become paths (an import map would be an inline script). No path of a
 * request ever reaches the file system.
 */
export function readAssets(): ReadonlyMap<string, Asset> {
  const assets = new Map<string, Asset>()
  for (const name of readdirSync(FOLDER)) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts') || name.endsWith('.d.ts')) continue
    assets.set(`/page/${name}`, { body: withPaths(stripTypeScriptTypes(readFileSync(join(FOLDER, name), 'utf8'))), type: SCRIPT })
  }
  for (const [, pack, file, path] of LIBRARIES) {
    const text = readFileSync(join(packageFolder(pack), file), 'utf8').replace(SOURCE_MAP, '\n')
    assets.set(path, { body: withPaths(text), type: SCRIPT })
  }
  assets.set('/lib/uplot.css', { body: readFileSync(join(packageFolder('uplot'), 'dist/uPlot.min.css'), 'utf8'), type: STYLE })
  return assets
}

/** The style of the page and of the form that asks for the token, which is there before anything else. */
export function pageStyle(): Asset {
  return { body: readFileSync(join(FOLDER, 'page.css'), 'utf8'), type: STYLE }
}

function withPaths(text: string): string {
  return text.replace(BARE_IMPORT, (whole, from: string, mark: string, name: string) => {
    const path = PLACES.get(name)
    return path === undefined ? whole : `${from}${mark}${path}${mark}`
  })
}

/** Where a package is installed; its package.json may not be among what it exports. */
function packageFolder(name: string): string {
  const { resolve } = createRequire(import.meta.url)
  let folder = dirname(resolve(name))
  while (!folder.endsWith(`/node_modules/${name}`) && folder !== dirname(folder)) folder = dirname(folder)
  return folder
}
