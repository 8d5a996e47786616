/** How are many things done, so many at once? */

/** Does each of them by its number, the next whenever one has ended. */
export const inTurns = async (
  { atOnce, count }: { readonly count: number; readonly atOnce: number },
  perform: (number: number) => Promise<void>
): Promise<void> => {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await perform(next++)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker))
}
