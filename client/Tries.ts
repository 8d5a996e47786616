/**
 * When is a question with many answers put again, and when is it given up?
 *
 * It is put again, after pauses that grow, when its answers were lost with the connection or with the host, when nobody
 * was there although hosts have answered before, and when a host has too much to do. It is given up at the end of its
 * budget while nothing of the answer has come; and when nothing more comes of one that has begun.
 */
import { Duration, Effect, Option } from "effect"
import { DeadlineExceeded } from "../protocol/wire/Errors.ts"
import { monotonicMs } from "../runtime/Deadline.ts"
import { busyMsOf } from "./askPatiently.ts"
import type { Failure } from "./Exchange.ts"
import { SeamlessError } from "./SeamlessError.ts"
import { transportError } from "./failures.ts"
import { type Question, type Session, waitMs } from "./Session.ts"

/** An answer of which nothing new comes is given up after so many tries, or so long. */
const triesMax = 20
const withoutProgressMs = 60_000
const pauseMsMin = 50
const pauseMsMax = 1000
// what was only slow, and not lost, is to be there at the second try, or at the third
const growth = 3

/** The tries of one question. */
export interface Tries {
  readonly session: Session
  readonly question: Question
  readonly budgetMs: number
  /** After so many milliseconds of silence a host is as good as gone, once its answer has begun. */
  readonly stallMs: number
  /** Since something new came. */
  count: number
  /** Those of them in which nothing came for as long as was waited. */
  silent: number
  /** When something new came last, or when it began; the time that its taker took for itself is left out. */
  progressMs: number
  hasBegun: boolean
}

/** No try yet. */
export const make = Effect.fnUntraced(function* (session: Session, question: Question, stallMs: number) {
  const tries: Tries = {
    session,
    question,
    budgetMs: question.budgetMs ?? session.timeoutMs,
    stallMs,
    count: 0,
    silent: 0,
    progressMs: yield* monotonicMs,
    hasBegun: false
  }
  return tries
})

/** Notes that a host is at work on it: what came may have come before. */
export const word = Effect.fnUntraced(function* (tries: Tries) {
  tries.silent = 0
  tries.hasBegun = true
  tries.progressMs = yield* monotonicMs
})

/** Notes that something new came. */
export const progress = (tries: Tries): Effect.Effect<void> => {
  tries.count = 0
  return word(tries)
}

/** How long something new may still be waited for, at the most. */
export const leftMs = ({ budgetMs, hasBegun, progressMs }: Tries): Effect.Effect<number> =>
  Effect.map(monotonicMs, (nowMs) => {
    const bound = hasBegun ? Math.max(withoutProgressMs, budgetMs) : budgetMs
    return Math.max(1, bound - (nowMs - progressMs))
  })

/** How long the next answer is waited for, where a host has that much time for it. */
export const silenceMs = (tries: Tries, hostMs: number): number => {
  const { hasBegun, question, session, silent, stallMs } = tries
  const whole = waitMs(session, { ...question, budgetMs: hostMs })
  return Math.min(whole, (hasBegun ? stallMs : (question.againMs ?? whole)) * growth ** silent)
}

/** What a caller is told where it ends with that: all of the time that was waited for a first answer. */
const errorOf = ({ budgetMs, hasBegun, session }: Tries, failure: Failure | SeamlessError): SeamlessError => {
  if (failure instanceof SeamlessError) return failure
  const isSilence = failure._tag === "DeadlineExceeded" && !hasBegun
  const { servers } = session
  return transportError(
    servers,
    isSilence ? new DeadlineExceeded({ waitingFor: failure.waitingFor, budgetMs }) : failure
  )
}

/** Goes on after a moment where it may be tried once more after that, and fails with it where not. */
export const again = Effect.fnUntraced(function* (tries: Tries, failure: Failure | SeamlessError) {
  const { budgetMs, count, hasBegun, session } = tries
  const { link } = session
  const sinceMs = (yield* monotonicMs) - tries.progressMs
  const error = errorOf(tries, failure)
  const pauseMs = Math.max(
    Option.getOrElse(busyMsOf(error), () => 0),
    Math.min(pauseMsMax, pauseMsMin * 2 ** count)
  )
  const isWrongAddress = error.tag === "NoHostAnswers" && !hasBegun && link?.isServed() !== true
  const isLate = !hasBegun && sinceMs + pauseMs >= budgetMs
  const isOver = count >= triesMax || sinceMs >= Math.max(withoutProgressMs, budgetMs)
  if (link?.isClosed() === true || isWrongAddress || isLate || isOver) return yield* Effect.fail(error)
  tries.count += 1
  if (error.tag === "DeadlineExceeded") tries.silent += 1
  yield* Effect.sleep(Duration.millis(pauseMs))
})

/** Whether another host, or the same a moment later, may answer what one has refused. */
export const mayGoOn = (error: SeamlessError, { hasBegun }: Tries): boolean =>
  Option.isSome(busyMsOf(error)) || (hasBegun && error.code === 503 && error.isRetryable)
