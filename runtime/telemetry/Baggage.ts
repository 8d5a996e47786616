/** What does a caller say of its request beside it, in W3C baggage? */
import { Context, Effect, Option } from "effect"

/** What a request id may have; one that is longer is passed over. */
const requestIdLengthMax = 256

const decoded = Option.liftThrowable(decodeURIComponent)

/** What a member of a `baggage` header says; the first of that name, without its properties. */
const memberOf = (header: string, name: string): string | undefined => {
  for (const member of header.split(",")) {
    const [pair = ""] = member.split(";")
    const at = pair.indexOf("=")
    if (at > 0 && pair.slice(0, at).trim() === name) return Option.getOrUndefined(decoded(pair.slice(at + 1).trim()))
  }
  return undefined
}

/** The `baggage` of the request that is being answered; empty where it has none. */
const Baggage = Context.Reference<string>("seamless/runtime/telemetry/Baggage", { defaultValue: () => "" })

/** Runs with the baggage of a request. */
export const withBaggage =
  (header: string | undefined) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    header === undefined ? self : Effect.provideService(self, Baggage, header)

/** The request id that the caller's baggage has; undefined where it has none that can be one. */
export const baggageRequestId: Effect.Effect<string | undefined> = Effect.map(Baggage, (header) => {
  const id = memberOf(header, "requestId") ?? ""
  return id === "" || id.length > requestIdLengthMax ? undefined : id
})
