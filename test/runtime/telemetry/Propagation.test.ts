/** Does a trace go on where it is carried to? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Tracer } from "effect"
import { Header } from "../../../protocol/wire/Header.ts"
import { remoteSpan, traceHeaders, traceParent, withRemoteParent } from "../../../runtime/telemetry/Propagation.ts"

const carried = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

describe("traceParent", () => {
  it.effect("traceParent is empty outside a span, and no header then", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* traceParent, "")
      assert.strictEqual((yield* traceHeaders).size, 0)
    })
  )

  it.effect("traceParent names the span that is open", () =>
    Effect.gen(function* () {
      const span = yield* Effect.currentSpan
      const value = yield* traceParent
      const read = Option.getOrThrow(remoteSpan(value))
      assert.deepStrictEqual([read.traceId, read.spanId], [span.traceId, span.spanId])
      assert.strictEqual((yield* traceHeaders).get(Header.traceParent), value)
    }).pipe(Effect.withSpan("outer"))
  )
})

describe("withRemoteParent()", () => {
  it.effect("withRemoteParent() makes what runs a child of the carried span", () =>
    Effect.gen(function* () {
      const inner = Effect.withSpan(Effect.currentSpan, "inner")
      const span = yield* withRemoteParent(carried)(inner)
      assert.strictEqual(span.traceId, "0af7651916cd43dd8448eb211c80319c")
      assert.strictEqual(Option.getOrThrow(span.parent).spanId, "b7ad6b7169203331")
    })
  )

  it.effect("withRemoteParent() gives on what it was given", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* withRemoteParent(carried)(traceParent), carried)
      const unsampled = carried.replace(/01$/, "00")
      assert.strictEqual(yield* withRemoteParent(unsampled)(traceParent), unsampled)
    })
  )

  const broken = [
    undefined,
    "",
    "nonsense",
    carried.toUpperCase(),
    carried.slice(1),
    `${carried}-more`,
    `01${carried.slice(2)}`
  ]

  it.effect("withRemoteParent() leaves what runs as it is where nothing can be read", () =>
    Effect.gen(function* () {
      for (const value of broken) {
        assert.isTrue(Option.isNone(remoteSpan(value)))
        const parent = yield* withRemoteParent(value)(Effect.serviceOption(Tracer.ParentSpan))
        assert.isTrue(Option.isNone(parent))
      }
    })
  )
})
