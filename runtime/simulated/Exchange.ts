/**
 * How does a question get to the simulated server, and its answer back?
 *
 * Each way over the link, which may lose or repeat it: the first answer counts, and where none comes the wait ends by a
 * bound of its own.
 */
import { Effect } from "effect"
import type { Answer } from "./Answer.ts"
import type { Link, Parcel } from "./Link.ts"

/** One end of the connection: the link, and what the server says to this client, in order. */
export interface Wire {
  readonly link: Link
  readonly say: (what: () => void) => void
}

/** A question that is answered once. */
export interface Question<A, B, E, C = never> {
  readonly parcel: Parcel
  readonly boundMs: number
  /** What the server does; it may be done twice. */
  readonly act: () => Answer<A>
  readonly onDone: (value: A) => Effect.Effect<B, E>
  /** It was not done, or nobody said anything within the bound. */
  readonly onRefused: (reason: string) => Effect.Effect<B, E>
  readonly onConflict?: () => Effect.Effect<never, C>
}

const ending = <A, B, E, C>(
  { onConflict, onDone, onRefused }: Question<A, B, E, C>,
  answer: Exclude<Answer<A>, { readonly _tag: "Silence" }>
): Effect.Effect<B, E | C> => {
  if (answer._tag === "Done") return onDone(answer.value)
  if (answer._tag === "Refused") return onRefused(answer.reason)
  return onConflict === undefined ? onRefused("conflict") : onConflict()
}

/** Asks, and waits for the answer. */
export const ask = <A, B, E, C = never>({ link, say }: Wire, question: Question<A, B, E, C>): Effect.Effect<B, E | C> =>
  Effect.callback((resume) => {
    const { act, boundMs, onRefused, parcel } = question
    const back: Parcel = { kind: "answer", subject: parcel.subject }
    let isOver = false
    let cancel: (() => void) | undefined
    const end = (effect: Effect.Effect<B, E | C>): void => {
      if (isOver) return
      isOver = true
      cancel?.()
      resume(effect)
    }
    link.carry("toServer", parcel, () => {
      const answer = act()
      if (answer._tag === "Silence") return
      say(() => link.carry("toProcess", back, () => end(ending(question, answer))))
    })
    // most often the answer is here already where nothing is far away
    if (isOver) return undefined
    cancel = link.after(boundMs, () => end(onRefused("TimeoutError: timeout")))
    return Effect.sync(() => {
      isOver = true
      cancel?.()
    })
  })
