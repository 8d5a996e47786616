/**
 * How much of one kind of work does a host do at once, and how much of that for one caller?
 *
 * What is one too many is refused at once, with the limit that it is over and a time to come back: it would wait for
 * longer than its caller.
 */
import { Effect, type Scope } from "effect"
import { MailboxFull } from "../protocol/wire/Errors.ts"
import { TooManyRequests } from "../protocol/wire/LimitErrors.ts"
import type { HostLimit } from "../protocol/wire/Limits.ts"
import { callerOf } from "./Callers.ts"
import type { Message } from "./Mesh.ts"

/** Why there is no place. */
export type NoPlace = MailboxFull | TooManyRequests

/** How many places there are. */
export interface PlacesOptions {
  /** What the limit is called. */
  readonly limit: HostLimit
  /** Of all callers together. */
  readonly most: number
  /** Of one caller. */
  readonly perCaller: number
  /** How long until one that is refused may ask again. */
  readonly retryAfterMs: number
}

/** The places of a host for one kind of work. */
export interface Places {
  /** Takes one, to be given back when the work has ended; or why there is none. */
  readonly take: (message: Pick<Message, "subject" | "headers" | "replyTo">) => NoPlace | (() => void)
  /** Takes one until the scope ends. */
  readonly hold: (
    message: Pick<Message, "subject" | "headers" | "replyTo">
  ) => Effect.Effect<void, NoPlace, Scope.Scope>
}

/** Places that nobody has taken yet. */
export const makePlaces = ({ limit, most, perCaller, retryAfterMs }: PlacesOptions): Places => {
  const byCaller = new Map<string, number>()
  let underWay = 0

  const take: Places["take"] = (message) => {
    if (underWay >= most) return new MailboxFull({ address: message.subject, retryAfterMs, limit, limitMax: most })
    const caller = callerOf(message)
    const count = byCaller.get(caller) ?? 0
    if (count >= perCaller) {
      return new TooManyRequests({ caller, requestsMax: perCaller, retryAfterMs, limit, limitMax: perCaller })
    }
    underWay += 1
    byCaller.set(caller, count + 1)
    return () => {
      underWay -= 1
      const left = (byCaller.get(caller) ?? 1) - 1
      if (left === 0) byCaller.delete(caller)
      else byCaller.set(caller, left)
    }
  }
  const taken = (message: Parameters<Places["take"]>[0]) =>
    Effect.suspend(() => {
      const place = take(message)
      return typeof place === "object" ? Effect.fail(place) : Effect.succeed(place)
    })
  return {
    take,
    hold: (message) => Effect.asVoid(Effect.acquireRelease(taken(message), (giveBack) => Effect.sync(giveBack)))
  }
}
