import { useEffect, useState } from 'preact/hooks'

const KEY = 'lintel-theme'
const THEMES = ['system', 'dark', 'light'] as const
export type Theme = (typeof THEMES)[number]
const listeners = new Set<(theme: Theme) => void>()

export function currentTheme(): Theme {
  const stored = localStorage.getItem(KEY)
  return THEMES.find(theme => theme === stored) ?? 'system'
}

/** Dark, light, or as the system has it: the choice stays in this browser. */
export function nextTheme(): void {
  const theme = THEMES[(THEMES.indexOf(currentTheme()) + 1) % THEMES.length] as Theme
  localStorage.setItem(KEY, theme)
  applyTheme()
  for (const listener of listeners) listener(theme)
}

export function applyTheme(): void {
  document.documentElement.dataset['theme'] = currentTheme()
}

/** The theme, and anew when it changes: charts draw with its colours. */
export function useTheme(): string {
  const [theme, setTheme] = useState<string>(currentTheme)
  useEffect(() => {
    const changed = (next: Theme): void => { setTheme(next) }
    const dark = matchMedia('(prefers-color-scheme: dark)')
    const system = (): void => { setTheme(`${currentTheme()}-${dark.matches}`) }
    listeners.add(changed)
    dark.addEventListener('change', system)
    return () => {
      listeners.delete(changed)
      dark.removeEventListener('change', system)
    }
  }, [])
  return theme
}
