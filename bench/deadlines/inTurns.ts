/** How are many things done, so many at once? */
import { setTimeout as wait } from "node:timers/promises"

/** So long until as many are under way as may be: all of them in one moment is another question. */
const rampMs = 1000

/** Does each of them by its number, the next whenever one has ended; the first ones begin one after the other. */
export const inTurns = async (
  { atOnce, count }: { readonly count: number; readonly atOnce: number },
  perform: (number: number) => Promise<void>
): Promise<void> => {
  let next = 0
  const workers = Math.min(atOnce, count)
  const worker = async (_: unknown, index: number): Promise<void> => {
    await wait((rampMs * index) / workers)
    while (next < count) await perform(next++)
  }
  await Promise.all(Array.from({ length: workers }, worker))
}
