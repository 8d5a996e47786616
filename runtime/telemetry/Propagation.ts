/** How does a trace go on in another process? */
import { Context, Effect, Option, Tracer } from "effect"
import { Header } from "../../protocol/wire/Header.ts"
import type { Headers } from "../Mesh.ts"

const traceParentForm = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

const textOf: (span: Option.Option<Tracer.AnySpan>) => string = Option.match({
  onNone: () => "",
  onSome: ({ sampled, spanId, traceId }) => `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`
})

/** The W3C `traceparent` of the current span; empty where there is none. */
export const traceParent: Effect.Effect<string> = Effect.map(Effect.serviceOption(Tracer.ParentSpan), textOf)

/** The W3C `traceparent` of the span that a context holds; empty where it holds none. */
export const traceParentIn = (context: Context.Context<never>): string =>
  textOf(Context.getOption(context, Tracer.ParentSpan))

/** The headers that let the receiver go on with the current trace. */
export const traceHeaders: Effect.Effect<Headers> = Effect.map(
  traceParent,
  (value) => new Map(value === "" ? [] : [[Header.traceParent, value]])
)

/** The span that a `traceparent` names. */
export const remoteSpan = (value: string | undefined): Option.Option<Tracer.ExternalSpan> => {
  const [, traceId, spanId, flags] = traceParentForm.exec(value ?? "") ?? []
  return traceId === undefined || spanId === undefined
    ? Option.none()
    : Option.some(Tracer.externalSpan({ traceId, spanId, sampled: flags === "01" }))
}

/** Runs as a child of the span that a `traceparent` names, where it names one. */
export const withRemoteParent =
  (value: string | undefined) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Option.match(remoteSpan(value), {
      onNone: () => self,
      onSome: (span) => Effect.provideService(self, Tracer.ParentSpan, span) as Effect.Effect<A, E, R>
    })
