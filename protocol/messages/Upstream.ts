/**
 * What is said about requests to sources before they are sent, and when they have ended?
 *
 * Every source belongs to an upstream account, and each account has one actor for the whole cluster. It is asked before
 * each request and told what came of it: so it keeps the account's budget, leaves it alone after a refusal, and stops
 * asking a source that fails.
 */
import { Context, type Effect, Schema } from "effect"
import { JobClass } from "../history/BackfillJob.ts"
import { define } from "../wire/ActorMessage.ts"
import { AccountStanding } from "./AccountStanding.ts"

/** The name of the actor type; the key is the account. */
const upstreamActor = "upstream"

/** Asks that one request may be sent. It is asked again, under the same ticket, until it may. */
const PermitAsk = Schema.Struct({
  /** Unlike any other request's. */
  ticket: Schema.NonEmptyString,
  /** The process that would send it. */
  asker: Schema.NonEmptyString,
  source: Schema.NonEmptyString,
  jobClass: JobClass,
  /** For which series: those of one class take turns. */
  series: Schema.String,
  weight: Schema.Int.check(Schema.isGreaterThan(0))
})

/** The request may be sent, or has to wait. */
const PermitAnswer = Schema.Union([
  Schema.TaggedStruct("Granted", {
    /** How long ago it was granted: more than 0 where the first answer got lost. */
    ageMs: Schema.Finite
  }),
  Schema.TaggedStruct("Wait", {
    /** Ask again then, or the ticket is forgotten. */
    retryAfterMs: Schema.Finite,
    /** `coolDown`: the account is left alone because it refused. */
    because: Schema.Literals(["turn", "coolDown"])
  })
])

/** What came of a request. */
export const Outcome = Schema.Union([
  /** The source answered, whatever it said. */
  Schema.TaggedStruct("Answered", {}),
  /** It wants to be left alone: for so long, where it says. */
  Schema.TaggedStruct("Refused", { retryAfterMs: Schema.NullOr(Schema.Finite) }),
  /** It gave no answer, or said that something is wrong with it. */
  Schema.TaggedStruct("Failed", { reason: Schema.String }),
  /** Nothing is known of it: it was not sent, or nobody waits for it any more. */
  Schema.TaggedStruct("Dropped", {})
])
export type Outcome = typeof Outcome.Type

/** The source has failed too often in a row. Nothing was sent: ask again after `retryAfterMs`. */
export class CircuitOpen extends Schema.TaggedError<CircuitOpen>()("CircuitOpen", {
  source: Schema.String,
  failures: Schema.Int,
  /** Why the last of them failed. */
  reason: Schema.String,
  retryAfterMs: Schema.Finite
}) {
  override get message() {
    const { failures, reason, retryAfterMs, source } = this
    return (
      `${source} is left alone for ${Math.ceil(retryAfterMs)} ms, ` +
      `since ${failures} requests in a row have failed; the last: ${reason}`
    )
  }
}

/** No request may be sent in the asker's time. Nothing was sent: ask again after `retryAfterMs`. */
export class PermitLate extends Schema.TaggedError<PermitLate>()("PermitLate", {
  account: Schema.String,
  /** `coolDown`: the account is left alone because it refused. */
  because: Schema.Literals(["turn", "coolDown"]),
  retryAfterMs: Schema.Finite
}) {
  override get message() {
    const { account, because, retryAfterMs } = this
    const inMs = `for ${Math.ceil(retryAfterMs)} ms`
    return because === "coolDown"
      ? `account ${account} has refused requests and is left alone ${inMs}`
      : `others are before this request in the budget of account ${account}, at least ${inMs}`
  }
}

/** The account's actor could not be asked. Nothing was sent, and the source has no part in it. */
export class BudgetUnreachable extends Schema.TaggedError<BudgetUnreachable>()("BudgetUnreachable", {
  account: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `the budget of account ${this.account} can't be asked, so no request was sent: ${this.reason}`
  }
}

/** `permit` of an account's actor. */
export const permitMessage = define({
  actor: upstreamActor,
  name: "permit",
  payload: PermitAsk,
  success: PermitAnswer,
  failure: CircuitOpen
})

/** `report` of an account's actor. */
export const reportMessage = define({
  actor: upstreamActor,
  name: "report",
  payload: Schema.Struct({ ticket: Schema.NonEmptyString, source: Schema.NonEmptyString, outcome: Outcome }),
  success: Schema.Null,
  failure: Schema.Never
})

/** `standing` of an account's actor. */
export const standingMessage = define({
  actor: upstreamActor,
  name: "standing",
  payload: Schema.Null,
  success: AccountStanding,
  failure: Schema.Never
})

/** Who wants to send a request, and for what. */
export interface Wish {
  readonly source: string
  readonly jobClass: JobClass
  /** The series key. */
  readonly series: string
  /** How long it waits for an account that refused, in milliseconds. For its turn it waits as long as its deadline. */
  readonly patienceMs: number
}

/** The right to send one request, now. */
export interface Permit {
  readonly account: string
  readonly source: string
  readonly ticket: string
}

/** How all accounts stand. */
export interface Standings {
  readonly accounts: ReadonlyArray<AccountStanding>
  /** Accounts whose actors did not answer. */
  readonly silent: ReadonlyArray<string>
}

/** The budgets of all upstream accounts, wherever their actors live. */
export class Upstream extends Context.Service<
  Upstream,
  {
    /** Waits until a request may be sent, no longer than the current deadline. */
    readonly permit: (wish: Wish) => Effect.Effect<Permit, CircuitOpen | PermitLate | BudgetUnreachable>
    /** Tells what came of it. Whoever can't be told finds out by itself, after the request's time. */
    readonly report: (permit: Permit, outcome: Outcome) => Effect.Effect<void>
    readonly standings: Effect.Effect<Standings>
  }
>()("seamless/messages/Upstream") {}
