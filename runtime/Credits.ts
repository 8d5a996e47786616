/**
 * How many more messages of an answer does its reader take?
 *
 * Core NATS has no flow control, so whoever sends many messages waits for the reader's word. A host has one
 * subscription for the words of all of its readers, and a subject of it for each answer.
 */
import { Effect, Latch, type Scope } from "effect"
import * as CallSubject from "../protocol/wire/CallSubject.ts"
import { limits } from "../protocol/wire/Limits.ts"
import { Mesh } from "./Mesh.ts"
import { randomId } from "./randomId.ts"

/** What one reader takes. */
export interface Credit {
  /** Where the reader says how many more. */
  readonly subject: string
  /** Waits until one more may be sent; false where the reader has granted nothing for too long. */
  readonly take: Effect.Effect<boolean>
}

/** The readers of one host. */
export interface Credits {
  /** A new reader, who takes so many at first. */
  readonly open: (first: number) => Effect.Effect<Credit, never, Scope.Scope>
}

interface Account {
  left: number
  readonly some: Latch.Latch
}

const grant = (account: Account, more: number): void => {
  account.left = Math.min(limits.credits, account.left + more)
  if (account.left > 0) account.some.openUnsafe()
}

const take = (account: Account): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    if (account.left === 0) {
      account.some.closeUnsafe()
      yield* account.some.await.pipe(Effect.timeoutOption(limits.creditIdleMs))
    }
    if (account.left === 0) return false
    account.left -= 1
    return true
  })

/** How many messages a text grants, of those that may be on their way: a whole number in decimal; 0 for all else. */
export const granted = (text: string): number => (/^\d+$/.test(text) ? Math.min(limits.credits, Number(text)) : 0)

/** Listens to readers for as long as the scope lives. */
export const make = Effect.gen(function* () {
  const mesh = yield* Mesh
  const host = yield* randomId
  const accounts = new Map<string, Account>()
  const decoder = new TextDecoder()
  let opened = 0
  yield* mesh.subscribe(CallSubject.flow(host, "*"), ({ data, subject }) => {
    const account = accounts.get(subject)
    if (account !== undefined) grant(account, granted(decoder.decode(data)))
  })
  const credits: Credits = {
    open: (first) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const subject = CallSubject.flow(host, String(++opened))
          const account: Account = { left: 0, some: Latch.makeUnsafe(false) }
          grant(account, first)
          accounts.set(subject, account)
          return { subject, take: take(account) }
        }),
        ({ subject }) => Effect.sync(() => void accounts.delete(subject))
      )
  }
  return credits
})
