/**
 * How does a host get leave to send a request to a source?
 *
 * It asks the account's actor, and waits for its turn by asking again when it is told to. A permit is used at once or
 * not at all: one that was long on its way is no good any more.
 */
import { Effect, Layer } from "effect"
import { Attribute, Span } from "../../protocol/Telemetry.ts"
import {
  BudgetUnreachable,
  type CircuitOpen,
  type Outcome,
  type Permit,
  PermitLate,
  permitMessage,
  reportMessage,
  standingMessage,
  Upstream,
  type Wish
} from "../../protocol/messages/Upstream.ts"
import type { Configuration } from "../../protocol/Settings.ts"
import type { Undelivered } from "../../protocol/wire/Envelope.ts"
import { ActorSystem, ask } from "../../runtime/ActorSystem.ts"
import { monotonicMs, remainingMs, withBudget } from "../../runtime/Deadline.ts"
import { randomId } from "../../runtime/randomId.ts"
import { type AccountTerms, accountsOf } from "./AccountTerms.ts"
import { useWithinMs } from "./Meter.ts"

/** How long the actor may take to answer: longer than it takes until another host has it. */
const reachWithinMs = 10_000
/** How long it is tried to tell what came of a request: who is not told finds out by itself. */
const reportWithinMs = 2000
const standingWithinMs = 3000
/** Accounts that are asked at once how they stand. */
const asksMax = 16
/** How long a request waits for its turn at most: by then whoever wanted it has something else to do. */
const turnMsMax = 600_000

const askPermit = ask(permitMessage)
const askReport = ask(reportMessage)
const askStanding = ask(standingMessage)

type Verdict = typeof permitMessage.success.Type

const dropped: Outcome = { _tag: "Dropped" }

/** A mailbox that is full is one more thing to wait for; what else keeps an answer away is told. */
const orWait =
  (account: string) =>
  (failure: CircuitOpen | Undelivered): Effect.Effect<Verdict, CircuitOpen | BudgetUnreachable> => {
    if (failure._tag === "CircuitOpen") return Effect.fail(failure)
    if (failure._tag !== "MailboxFull") return Effect.fail(new BudgetUnreachable({ account, reason: failure.message }))
    return Effect.succeed({ _tag: "Wait", retryAfterMs: failure.retryAfterMs, because: "turn" })
  }

const report = ({ account, source, ticket }: Permit, outcome: Outcome): Effect.Effect<void, never, ActorSystem> =>
  askReport(account, { ticket, source, outcome }).pipe(
    withBudget(reportWithinMs),
    Effect.catch(({ message: reason }) => Effect.logDebug("request not reported", { account, source, reason }))
  )

/** A request that waits, and for how long. */
interface Waiting {
  readonly permit: Permit
  readonly wish: Wish
  readonly asker: string
  readonly weight: number
  readonly begunAtMs: number
}

/** Asks until the permit is there; false where it was too long on its way. */
const waitForTurn = Effect.fnUntraced(function* ({ asker, begunAtMs, permit, weight, wish }: Waiting) {
  const { account, source, ticket } = permit
  const { jobClass, patienceMs, series } = wish
  for (;;) {
    const askedAtMs = yield* monotonicMs
    const answer = yield* askPermit(account, { ticket, asker, source, jobClass, series, weight }).pipe(
      withBudget(reachWithinMs),
      Effect.catch(orWait(account))
    )
    const nowMs = yield* monotonicMs
    if (answer._tag === "Granted") return answer.ageMs + nowMs - askedAtMs <= useWithinMs
    const { because, retryAfterMs } = answer
    const leftMs = because === "coolDown" ? patienceMs : begunAtMs + turnMsMax - nowMs
    if (retryAfterMs > Math.min(leftMs, yield* remainingMs)) {
      // a place that nobody will ask for would keep others waiting
      yield* report(permit, dropped)
      return yield* new PermitLate({ account, because, retryAfterMs })
    }
    yield* Effect.sleep(retryAfterMs)
  }
})

/** How all accounts stand, as far as their actors answer. */
const standingsOf = (names: ReadonlyArray<string>) =>
  Effect.map(
    Effect.forEach(
      names,
      (account) =>
        Effect.match(askStanding(account, null).pipe(withBudget(standingWithinMs)), {
          onFailure: () => ({ accounts: [], silent: [account] }),
          onSuccess: (standing) => ({ accounts: [standing], silent: [] })
        }),
      { concurrency: asksMax }
    ),
    (told) => ({
      accounts: told.flatMap(({ accounts }) => accounts),
      silent: told.flatMap(({ silent }) => silent)
    })
  )

const accountBySource = (accounts: ReadonlyMap<string, AccountTerms>): ReadonlyMap<string, AccountTerms> =>
  new Map(Array.from(accounts.values()).flatMap((terms) => Array.from(terms.sources.keys(), (name) => [name, terms])))

const make = Effect.fnUntraced(function* (configuration: Configuration) {
  const provided = Effect.provideService(ActorSystem, yield* ActorSystem)
  const accounts = accountsOf(configuration)
  const termsOf = accountBySource(accounts)
  const asker = yield* randomId

  const permit = Effect.fn(Span.upstreamPermit)(function* (wish: Wish) {
    const { source } = wish
    yield* Effect.annotateCurrentSpan({ [Attribute.source]: source })
    const terms = termsOf.get(source)
    const weight = terms?.sources.get(source)?.weight ?? 1
    const begunAtMs = yield* monotonicMs
    for (;;) {
      const wanted: Permit = { account: terms?.account ?? source, source, ticket: yield* randomId }
      const drop = report(wanted, dropped)
      const waiting = waitForTurn({ permit: wanted, wish, asker, weight, begunAtMs })
      if (yield* Effect.onInterrupt(waiting, () => drop)) return wanted
      yield* drop
    }
  })
  return Upstream.of({
    permit: (wish) => provided(permit(wish)),
    report: (given, outcome) => provided(report(given, outcome)),
    standings: provided(standingsOf(Array.from(accounts.keys())))
  })
})

/** The budgets of the configured accounts, as a host reaches them: by asking their actors. */
export const layer = (configuration: Configuration): Layer.Layer<Upstream, never, ActorSystem> =>
  Layer.effect(Upstream, make(configuration))
