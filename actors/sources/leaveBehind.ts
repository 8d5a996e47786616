/**
 * What if a source neither answers nor stops?
 *
 * Whoever asked goes on without it: the request is told to stop, and left behind. So many may be left behind, and then
 * the source is asked nothing until one of them has ended. Who is interrupted passes that on, and does not wait until
 * the source heeds it. What comes after all is not taken: nobody could say of which moment it speaks.
 */
import { Effect, Fiber, Option } from "effect"
import { monotonicMs } from "../../runtime/Deadline.ts"
import { type DataSource, type Page, type PageRequest, RequestFailed } from "./DataSource.ts"
import { Gate, type WayOut } from "./Gate.ts"

/** How a source is kept from holding up who asks it. */
interface Patience {
  /** One request may take so long, in milliseconds; the wait for its turn does not count. */
  readonly requestMsMax: number
  /** So many requests may be left behind. */
  readonly leftMax: number
}

// every adapter of ours ends its requests long before: files without an index are read whole in two minutes
const patienceDefault: Patience = { requestMsMax: 600_000, leftMax: 4 }

type Asking = Fiber.Fiber<Page, RequestFailed>

/** A gate that notes whether anybody waits at it, and when a request last came or went. */
const watched = (gate: WayOut, nowMs: Effect.Effect<number>) =>
  Effect.map(nowMs, (startedMs) => {
    const seen = { atGate: 0, movedAtMs: startedMs }
    const moved = Effect.map(nowMs, (ms) => void (seen.movedAtMs = ms))
    const enter: WayOut["enter"] = Effect.suspend(() => {
      seen.atGate += 1
      return Effect.ensuring(
        gate.enter,
        Effect.andThen(
          moved,
          Effect.sync(() => void (seen.atGate -= 1))
        )
      )
    }).pipe(Effect.map((pass) => ({ end: (how) => Effect.andThen(pass.end(how), moved) })))
    return { seen, gate: { enter } satisfies WayOut }
  })

/** Ends when a request has been out for too long. */
const untilStuck = (seen: { readonly atGate: number; readonly movedAtMs: number }, requestMsMax: number) =>
  Effect.gen(function* () {
    for (;;) {
      const leftMs = seen.movedAtMs + requestMsMax - (yield* monotonicMs)
      if (leftMs <= 0 && seen.atGate === 0) return
      yield* Effect.sleep(Math.max(leftMs, 1000))
    }
  })

const stuck = (name: string, what: string, left: number): RequestFailed =>
  new RequestFailed({
    reason: `${name} ${what}; requests of it that do not stop: ${left}`,
    retryable: false,
    retryAfterMs: null
  })

/** The source, with pages that never hold up who asks for them. */
export const leaveBehind = (source: DataSource, patience: Patience = patienceDefault): DataSource => {
  const left = new Set<Asking>()

  /** Tells it to stop, and remembers it until it has. */
  const leave = (asking: Asking): void => {
    left.add(asking)
    asking.addObserver(() => void left.delete(asking))
    asking.interruptUnsafe()
  }

  const page = Effect.fnUntraced(function* (request: PageRequest) {
    if (left.size >= patience.leftMax) return yield* stuck(source.name, "is not asked for now", left.size)
    const { gate, seen } = yield* watched(yield* Gate, monotonicMs)
    const asking = yield* Effect.forkDetach(Effect.provideService(source.page(request), Gate, gate), {
      startImmediately: true
    })
    const exit = yield* Effect.raceFirst(
      Effect.asSome(Fiber.await(asking)),
      Effect.as(untilStuck(seen, patience.requestMsMax), Option.none())
    ).pipe(Effect.onInterrupt(() => Effect.sync(() => leave(asking))))
    if (Option.isSome(exit)) return yield* exit.value
    leave(asking)
    return yield* stuck(source.name, `gave no answer within ${patience.requestMsMax} ms`, left.size)
  })
  return { ...source, page }
}
