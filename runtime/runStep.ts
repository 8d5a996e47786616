/**
 * What does one message make of an actor?
 *
 * Pure. From where the actor stands and a message: where it stands then, what is answered, and what has to be done once
 * that is saved. A message that took effect before is answered again and changes nothing; one upon which the step
 * breaks changes nothing either.
 */
import { Predicate, Result } from "effect"
import type { MessageBody } from "../protocol/wire/ActorMessage.ts"
import { MalformedMessage, OutcomeUnknown } from "../protocol/wire/Errors.ts"
import type { Timer } from "../protocol/wire/StateRecord.ts"
import type { Result as MessageResult } from "./Actor.ts"
import type { Finding, Ledger } from "./Ledger.ts"
import type { MessageCodec } from "./MessageForms.ts"
import type { Action, StepContext } from "./StepContext.ts"

/** Timers that one actor may have. */
const timersMax = 256

/** What the steps of a type are, with their forms hidden. */
export interface Program {
  readonly type: string
  readonly codecs: ReadonlyMap<string, MessageCodec>
  readonly step: (
    message: string,
    ...given: readonly [state: unknown, payload: unknown, context: StepContext<unknown>]
  ) => unknown
  readonly encodeState: (state: unknown) => Result.Result<unknown, string>
  /** Whether what it does is saved: only then it may have timers. */
  readonly isDurable: boolean
}

/** Where an actor stands: its state, in both forms, and its timers. */
export interface Standing {
  readonly state: unknown
  readonly encoded: unknown
  readonly timers: ReadonlyArray<Timer>
}

/** A message, with what the step may know. */
export interface Given {
  readonly id: string
  readonly message: string
  readonly payload: unknown
  readonly ageMs: number
  /** Whether it is the message of a timer. */
  readonly own?: boolean
  readonly nowMs: number
  readonly key: string
  readonly epoch: number
  readonly random: () => number
}

/** Something to do that is no change of the actor itself. */
export type Errand = Extract<Action, { readonly action: "tell" | "publish" }>

/** What a message made. */
export interface Stepped {
  readonly result: MessageResult
  readonly standing: Standing
  readonly errands: ReadonlyArray<Errand>
  /** Whether there is something to save. */
  readonly changed: boolean
}

/** What a step returned, as far as can be told without its types. */
interface AnyOutcome {
  readonly state?: unknown
  readonly reply?: unknown
  readonly failure?: unknown
  readonly actions?: ReadonlyArray<Action>
}

const broken = (cause: unknown): MessageResult => ({
  failed:
    cause instanceof Error ? { reason: cause.message, trace: cause.stack ?? "" } : { reason: String(cause), trace: "" }
})

const misfit = (what: string, problem: string): MessageResult => ({
  failed: { reason: `${what}: ${problem}`, trace: "" }
})

/** The actor's own message as the body of a timer; breaks, as a step does, where the payload does not fit. */
const timerBody = ({ codecs, type }: Program, message: string, payload: unknown): MessageBody => {
  const encoded = codecs.get(message)?.encodePayload(payload) ?? Result.fail("is not known")
  return { message, payload: Result.getOrThrowWith(encoded, (problem) => new Error(`${type}.${message}: ${problem}`)) }
}

const contextOf = (program: Program, { epoch, id, key, nowMs, random }: Given): StepContext<unknown> => ({
  key,
  epoch,
  messageId: id,
  nowMs,
  random,
  setTimer: (name, timer) => {
    const { afterMs, message, payload } = timer as { afterMs: number; message: string; payload: unknown }
    return { action: "setTimer", name, afterMs, body: timerBody(program, message, payload) }
  },
  cancelTimer: (name) => ({ action: "cancelTimer", name })
})

// made anew, not of the message's id: that is a timer's id itself where a timer sets the next, and would grow with each
const timerId = ({ nowMs, random }: Given, index: number): string =>
  `timer-${nowMs.toString(36)}-${index}-${Math.floor(random() * 2 ** 48).toString(36)}`

/** The timers after the actions, which come in order. */
const withActions = (
  timers: ReadonlyArray<Timer>,
  actions: ReadonlyArray<Action>,
  given: Given
): ReadonlyArray<Timer> =>
  actions.reduce<ReadonlyArray<Timer>>((before, action, index) => {
    if (action.action === "cancelTimer") return before.filter(({ name }) => name !== action.name)
    if (action.action !== "setTimer") return before
    const { afterMs, body, name } = action
    const { nowMs } = given
    const timer: Timer = { name, id: timerId(given, index), at: nowMs + Math.max(0, afterMs), ...body }
    return [...before.filter((other) => other.name !== name), timer]
  }, timers)

const isErrand = (action: Action): action is Errand => action.action === "tell" || action.action === "publish"

/** What the outcome of a step makes; nothing of it counts where a part of it does not fit its form. */
const conclude = (
  { codec, given, ledger, program, standing }: Stage,
  { actions = [], failure, reply, state }: AnyOutcome
): Stepped => {
  const { message } = given
  const kept = (result: MessageResult): Stepped => unchanged(standing, result)
  if (failure !== undefined) {
    return Result.match(codec.encodeFailure(failure), {
      onFailure: (problem) => kept(misfit(`failure of ${message}`, problem)),
      onSuccess: (error) => kept({ error })
    })
  }
  const body = codec.encodeReply(reply)
  if (Result.isFailure(body)) return kept(misfit(`reply of ${message}`, body.failure))
  const encoded = state === undefined ? Result.succeed(standing.encoded) : program.encodeState(state)
  if (Result.isFailure(encoded)) return kept(misfit(`state after ${message}`, encoded.failure))
  const timers = withActions(standing.timers, actions, given)
  if (timers !== standing.timers && !program.isDurable) {
    return kept(misfit(`timers of ${message}`, "an actor whose state is not saved has none"))
  }
  if (timers.some(({ at }) => !Number.isFinite(at))) return kept(misfit(`timers of ${message}`, "without an instant"))
  if (timers.length > timersMax) return kept(misfit(`timers of ${message}`, `more than ${timersMax}`))
  const result = { body: body.success }
  const changed = state !== undefined || actions.length > 0
  if (changed && codec.readOnly) return kept(misfit(`step ${message}`, "it only reads, and gave a state or actions"))
  if (changed) ledger.add({ id: given.id, at: given.nowMs, answer: result })
  return {
    result,
    standing: changed
      ? { state: state === undefined ? standing.state : state, encoded: encoded.success, timers }
      : standing,
    errands: actions.filter(isErrand),
    changed
  }
}

interface Stage {
  readonly program: Program
  readonly codec: MessageCodec
  readonly standing: Standing
  readonly ledger: Ledger
  readonly given: Given
}

const unchanged = (standing: Standing, result: MessageResult): Stepped => ({
  result,
  standing,
  errands: [],
  changed: false
})

const isAnswer = (
  answer: unknown
): answer is Extract<MessageResult, { readonly body: unknown } | { readonly error: unknown }> =>
  Predicate.hasProperty(answer, "body") || Predicate.hasProperty(answer, "error")

const stepOnce = (program: Program, standing: Standing, ledger: Ledger, given: Given): Stepped => {
  const { ageMs, id, message, nowMs, payload } = given
  const address = `${program.type}/${given.key}`
  const codec = program.codecs.get(message)
  // what only reads can't be done twice
  const before: Finding = codec?.readOnly === true ? { found: "nothing" } : ledger.find(id, { nowMs, ageMs })
  if (before.found === "unknowable") return unchanged(standing, { undelivered: new OutcomeUnknown({ address, id }) })
  if (before.found === "answer" && isAnswer(before.answer)) return unchanged(standing, before.answer)
  const decoded = codec?.decodePayload(payload) ?? Result.fail("is not known")
  if (codec === undefined || Result.isFailure(decoded)) {
    const problem = Result.isFailure(decoded) ? decoded.failure : "is not known"
    return unchanged(standing, {
      undelivered: new MalformedMessage({ what: `message ${program.type}.${message}`, problem })
    })
  }
  const outcome = Result.try({
    try: () => program.step(message, standing.state, decoded.success, contextOf(program, given)),
    catch: broken
  })
  if (Result.isFailure(outcome)) return unchanged(standing, outcome.failure)
  if (!Predicate.isObject(outcome.success)) return unchanged(standing, misfit(`step ${message}`, "gave no outcome"))
  return conclude({ program, codec, standing, ledger, given }, outcome.success)
}

/** Does one message. Whatever becomes of it, a timer whose message it is has done its part. */
export const runStep = (program: Program, standing: Standing, ledger: Ledger, given: Given): Stepped => {
  const others = standing.timers.filter(({ id }) => id !== given.id)
  if (others.length === standing.timers.length) {
    // it was cancelled, or set anew, while its message waited
    if (given.own === true) return unchanged(standing, { body: null })
    return stepOnce(program, standing, ledger, given)
  }
  const stepped = stepOnce(program, { ...standing, timers: others }, ledger, given)
  return { ...stepped, changed: true }
}
