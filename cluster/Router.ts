/**
 * How does a message find the owner of its actor?
 *
 * The slot's subject has one subscriber, its owner. Nobody there means that ownership is moving: the message waits for
 * the new owner and goes to it, as long as its budget allows. Each try has the same id, so that the actor does it once.
 */
import { Effect } from "effect"
import * as Codec from "../protocol/wire/Codec.ts"
import { addressText, type Envelope, type Undelivered } from "../protocol/wire/Envelope.ts"
import { DeadlineExceeded, type MeshUnavailable } from "../protocol/wire/Errors.ts"
import { Header } from "../protocol/wire/Header.ts"
import { manifest } from "../protocol/wire/Manifest.ts"
import * as ActorSubject from "../protocol/wire/ActorSubject.ts"
import { clockMs } from "../runtime/Deadline.ts"
import { type Headers, Mesh, type NoResponders } from "../runtime/Mesh.ts"
import type { Reply } from "../runtime/Work.ts"
import { type OwnerNews, listen } from "./OwnerNews.ts"
import { slotOf } from "./Placement.ts"
import { unpackReply } from "./ReplyCodec.ts"

/** A message that got lost with its host is sent again: actors take effect once, whatever comes twice. */
const resendAfterMs = 2000
/** The same, where it came to a host that was only about to own its slot: another may have been faster. */
const resendSeekingAfterMs = 500
/** Pauses between tries, where nothing is heard of a new owner. */
const pauseMsMin = 10
const pauseMsMax = 500

const noHeaders: Headers = new Map()

/** Sends messages to wherever their actors live. */
export interface Router {
  readonly transmit: (
    envelope: Envelope,
    how: { readonly label: string; readonly traceParent: string }
  ) => Effect.Effect<Reply, Undelivered>
}

/** A try that has to be repeated, and why. */
interface Again {
  readonly again: string
  /** Whether it is to be sent again at once: it may have reached an actor, and time has passed, or its owner is new. */
  readonly atOnce: boolean
  /** Whether an actor may have begun with it. */
  readonly reached: boolean
}

const isAgain = (outcome: Reply | Again): outcome is Again => "again" in outcome

const failed = (error: NoResponders | DeadlineExceeded | MeshUnavailable, isAbandoned: boolean): Again => ({
  again: error._tag === "NoResponders" ? "no host owns its slot" : error.message,
  atOnce: error._tag === "DeadlineExceeded",
  // where nobody listened, and where there was no connection, nobody got it
  reached: error._tag === "DeadlineExceeded" || isAbandoned
})

/** A message whose first try has to be repeated. */
interface Failing {
  readonly envelope: Envelope
  readonly failed: Again
  readonly headers: Headers
  readonly slot: string
  readonly startMs: number
}

/** The names of slots, each made once. */
const makeNames = () => {
  const known = new Map<string, ReadonlyArray<string>>()
  return (label: string, slot: number): string => {
    const names =
      known.get(label) ?? Array.from({ length: manifest.slotCount }, (_, each) => ActorSubject.slotName(label, each))
    known.set(label, names)
    return names[slot]!
  }
}

const doNothing = (): void => undefined

/** How one try is made. */
interface Try {
  readonly headers: Headers
  readonly timeoutMs: number
  /** Whether word of a new owner ends it: for a message that went to one that may be gone. */
  readonly heedsNews: boolean
}

/** Sends a message once, and tells whether it has to be sent again. */
const trying =
  (mesh: Mesh["Service"], news: OwnerNews) =>
  (slot: string, envelope: Envelope, { headers, heedsNews, timeoutMs }: Try): Effect.Effect<Reply | Again> => {
    const epoch = news.epochOf(slot)
    let isAbandoned = false
    const abandonOn = (abandon: () => void) =>
      heedsNews
        ? news.onNewOwner(slot, () => {
            isAbandoned = true
            abandon()
          })
        : doNothing
    return mesh
      .request(ActorSubject.slot(slot), Codec.pack(envelope), {
        headers,
        timeoutMs: Math.min(envelope.budgetMs, timeoutMs),
        abandonOn
      })
      .pipe(
        Effect.map(({ data }): Reply | Again => {
          const reply = unpackReply(data)
          if (reply === undefined) return { again: "the answer can't be read", atOnce: false, reached: true }
          if ("undelivered" in reply && reply.undelivered._tag === "ActorUnavailable") {
            const { reason, untouched = false } = reply.undelivered
            return { again: reason, atOnce: false, reached: !untouched }
          }
          return reply
        }),
        Effect.catch((error) => Effect.succeed(failed(error, isAbandoned))),
        // who would only now begin to listen for a new owner has missed the word of it
        Effect.map((outcome) =>
          isAgain(outcome) && news.epochOf(slot) !== epoch ? { ...outcome, atOnce: true } : outcome
        )
      )
  }

/** A router, for as long as the scope lives. */
export const make = Effect.gen(function* () {
  const mesh = yield* Mesh
  const now = yield* clockMs
  const nameOf = makeNames()
  const news: OwnerNews = yield* listen

  /** Waits for word of a new owner, no longer than so. */
  const pause = (slot: string, ms: number): Effect.Effect<void> =>
    Effect.asVoid(
      Effect.timeoutOption(
        Effect.callback<void>((resume) => {
          const takeBack = news.onNewOwner(slot, () => resume(Effect.void))
          return Effect.sync(takeBack)
        }),
        ms
      )
    )

  const once = trying(mesh, news)

  const retry = Effect.fnUntraced(function* ({ envelope, failed: first, headers, slot, startMs }: Failing) {
    let last = first
    // only a try that may have reached an actor makes the next ones repetitions, which an actor may have to refuse
    let firstReachedMs = first.reached ? startMs : undefined
    const ageAt = (nowMs: number): { readonly ageMs?: number } => {
      if (envelope.ageMs !== undefined) return { ageMs: envelope.ageMs + nowMs - startMs }
      return firstReachedMs === undefined ? {} : { ageMs: Math.max(1, nowMs - firstReachedMs) }
    }
    for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(pauseMsMax, pauseMs * 2)) {
      let leftMs = envelope.budgetMs - (now() - startMs)
      if (leftMs > 0 && !last.atOnce) yield* pause(slot, Math.min(pauseMs, leftMs))
      const nowMs = now()
      leftMs = envelope.budgetMs - (nowMs - startMs)
      if (leftMs <= 0) break
      const again = { ...envelope, budgetMs: leftMs, ...ageAt(nowMs) }
      // where nobody was there before, whoever is there now is the new owner: its word of it is no reason to send again
      const timeoutMs = last.atOnce ? resendAfterMs : resendSeekingAfterMs
      const next = yield* once(slot, again, { headers, timeoutMs, heedsNews: last.atOnce })
      if (!isAgain(next)) return next
      if (next.reached) firstReachedMs ??= nowMs
      last = next
    }
    const address = addressText(envelope.to)
    const waitingFor = last.atOnce ? address : `${address} (${last.again})`
    return yield* new DeadlineExceeded({ waitingFor, budgetMs: envelope.budgetMs })
  })

  const transmit: Router["transmit"] = (envelope, { label, traceParent }) => {
    const startMs = now()
    const slot = nameOf(label, slotOf(envelope.to))
    const headers = traceParent === "" ? noHeaders : new Map([[Header.traceParent, traceParent]])
    return Effect.flatMap(once(slot, envelope, { headers, timeoutMs: resendAfterMs, heedsNews: true }), (first) =>
      isAgain(first) ? retry({ envelope, failed: first, headers, slot, startMs }) : Effect.succeed(first)
    )
  }
  return { transmit } satisfies Router
})
