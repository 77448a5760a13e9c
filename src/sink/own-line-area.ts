import { LineArea } from '../../lib/record/mod.ts'

let area: LineArea | undefined

/**
 * The area of this thread in which outputs take lines apart; made when the first asks for it (some milliseconds). Whoever uses it is
 * done with it before anything is waited for.
 */
export function ownLineArea(): LineArea {
  area ??= new LineArea()
  return area
}
