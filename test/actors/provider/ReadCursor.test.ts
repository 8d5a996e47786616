/** Does an answer in parts go on only from where its own parts ended? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ReadCursor from "../../../actors/provider/ReadCursor.ts"
import type { Tally } from "../../../actors/provider/Tally.ts"
import { minute, requestOf } from "../../support/requests.ts"

const request = requestOf()
const cursor = { version: 7, fromMs: 3 * minute }
const token = ReadCursor.encode(request, cursor)

const tally: Tally = {
  untilMs: 2 * minute,
  counts: { rows: 3, outOfOrderCount: 1, duplicateCount: 0, examples: { outOfOrderCount: [minute] } },
  made: 2,
  chunks: { fromCache: 1, fromStorage: 4 },
  types: new Map([["close", { types: new Set(["float64"] as const), hasWide: false }]]),
  found: { spike: { count: 2, examples: [0, minute] } },
  priced: { atMs: minute, untilMs: 2 * minute }
}
const tallied = { ...cursor, tally }

const problemOf = (text: string, of = request) =>
  Effect.map(Effect.flip(ReadCursor.parse(of, text)), ({ field, problem }) => {
    assert.strictEqual(field, "Seamless-Cursor")
    return problem
  })

describe("ReadCursor", () => {
  it.effect("parse() gives what was encoded, whatever of the request does not decide its rows", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* ReadCursor.parse(request, token), cursor)
      const other = requestOf({ requestId: "another", strict: true, returnMeta: false })
      assert.deepStrictEqual(yield* ReadCursor.parse(other, token), cursor)
      for (const fromMs of request.range) {
        const edge = ReadCursor.encode(request, { version: 0, fromMs })
        assert.deepStrictEqual(yield* ReadCursor.parse(request, edge), { version: 0, fromMs })
      }
    })
  )

  it.effect("parse() gives what rows came to, and encode() leaves that out where it takes too many words", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* ReadCursor.parse(request, ReadCursor.encode(request, tallied)), tallied)
      const found = Object.fromEntries(
        Array.from({ length: 100 }, (_, rule) => [`rule ${rule}`, { count: 1, examples: [minute] }])
      )
      const long = ReadCursor.encode(request, { ...tallied, tally: { ...tally, found } })
      assert.deepStrictEqual(yield* ReadCursor.parse(request, long), cursor)
    })
  )

  it.effect("parse() refuses a cursor of a version before the least that is asked for", () =>
    Effect.gen(function* () {
      for (const minVersion of [0, 6, 7]) {
        assert.deepStrictEqual(yield* ReadCursor.parse(requestOf({ minVersion }), token), cursor)
      }
      assert.match(yield* problemOf(token, requestOf({ minVersion: 8 })), /version 7, and minVersion asks for 8/)
    })
  )

  it.effect("parse() refuses a tally of time that its parts have not had, or are not of", () =>
    Effect.gen(function* () {
      const wrong = [
        { ...tally, untilMs: 4 * minute },
        { ...tally, untilMs: -minute },
        { ...tally, untilMs: minute + 1 },
        { ...tally, priced: { atMs: -minute, untilMs: minute } }
      ]
      for (const each of wrong) {
        assert.match(yield* problemOf(ReadCursor.encode(request, { ...cursor, tally: each })), /another request/)
      }
    })
  )

  it.effect("parse() refuses what is no cursor", () =>
    Effect.gen(function* () {
      const strange = Buffer.from("1 7 180000 hash").toString("base64url")
      const empty = Buffer.from(`2 7 180000 ${"0".repeat(16)} {}`).toString("base64url")
      for (const text of ["", "a b", "x".repeat(10_000), strange, empty, token.slice(1), "ä", `${token}=`]) {
        assert.match(yield* problemOf(text), /^is no cursor/, text)
      }
    })
  )

  it.effect("parse() refuses the cursor of another request, or of a time that is none of its own", () =>
    Effect.gen(function* () {
      const others = [
        requestOf({ range: [0, 20 * minute] }),
        requestOf({ sources: ["kraken", "binance"] }),
        requestOf({ fill: "forward" }),
        requestOf({ asOf: { version: 7 } })
      ]
      for (const other of others) assert.match(yield* problemOf(token, other), /another request/)
      for (const fromMs of [-minute, 11 * minute, minute + 1]) {
        assert.match(yield* problemOf(ReadCursor.encode(request, { version: 7, fromMs })), /another request/)
      }
    })
  )
})
