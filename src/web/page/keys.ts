import { useEffect } from 'preact/hooks'

/** Keys of the page, while nothing is written into a field. */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const isWriting = event.target instanceof Element && event.target.closest('input, textarea, select') !== null
      const isButton = event.target instanceof Element && event.target.closest('button, a') !== null
      const action = keys[event.key]
      if (action === undefined || isWriting || event.ctrlKey || event.metaKey || event.altKey) return
      if (isButton && (event.key === ' ' || event.key === 'Enter')) return // theirs
      event.preventDefault()
      action()
    }
    addEventListener('keydown', pressed)
    return () => { removeEventListener('keydown', pressed) }
  })
}
