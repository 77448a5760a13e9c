import { render } from 'preact'
import { App } from './app.ts'
import { html } from './html.ts'
import { catchLinks } from './place.ts'
import { applyTheme } from './theme.ts'

applyTheme()
catchLinks()
render(html`<${App} />`, document.getElementById('page') as HTMLElement)
