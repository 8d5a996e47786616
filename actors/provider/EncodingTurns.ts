/**
 * When is an answer encoded, so that a host that has many to encode still does everything else?
 *
 * Encoding is work without a wait in it: as long as answers are encoded one after another, no heartbeat goes out and no
 * request comes in. So after a few milliseconds of it the next answer waits until everything else has had its turn.
 */
import { Effect, Semaphore } from "effect"
import { clockMs } from "../../runtime/Deadline.ts"

/** As long is encoded in one go, and one answer more. */
const goMs = 4

/** Encodes answers in turns. */
export interface EncodingTurns {
  /** At once, or where much was encoded just now, when it is its turn. `late` bounds the wait for that turn. */
  readonly take: <A, E = never>(
    encode: () => A,
    late?: (turn: Effect.Effect<A>) => Effect.Effect<A, E>
  ) => Effect.Effect<A, E>
}

/** Turns that nobody has taken yet. */
export const make: Effect.Effect<EncodingTurns> = Effect.gen(function* () {
  const now = yield* clockMs
  const gate = Semaphore.makeUnsafe(1)
  let spentMs = 0

  const encodeNow = <A>(encode: () => A): A => {
    const sinceMs = now()
    const encoded = encode()
    spentMs += now() - sinceMs
    return encoded
  }
  // a timer is behind all that has come in by then; until it has come nobody overtakes who waits for it
  const rest = Effect.suspend(() =>
    spentMs < goMs ? Effect.void : Effect.map(Effect.sleep(0), () => void (spentMs = 0))
  )
  return {
    take: (encode, late) =>
      Effect.suspend(() => {
        const encoded = Effect.sync(() => encodeNow(encode))
        if (spentMs < goMs) return encoded
        const turn = gate.withPermits(1)(Effect.andThen(rest, encoded))
        return late === undefined ? turn : late(turn)
      })
  }
})
