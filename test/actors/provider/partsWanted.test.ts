/** Is whatever a caller says of the parts that it takes understood as it is meant, or refused? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { partsWanted } from "../../../actors/provider/partsWanted.ts"
import { Header } from "../../../protocol/wire/Header.ts"
import { limits } from "../../../protocol/wire/Limits.ts"

const of = (headers: Readonly<Record<string, string>>) =>
  partsWanted({
    subject: "s",
    replyTo: "r",
    data: new Uint8Array(0),
    headers: new Map(Object.entries(headers)),
    respond: () => {}
  })

describe("partsWanted()", () => {
  it.effect("takes any whole number from 1 as a credit, and more than the most as the most", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [string, number]> = [
        ["1", 1],
        [" 7 ", 7],
        ["007", 7],
        ["64", limits.credits],
        ["1000000000", limits.credits],
        ["9".repeat(400), limits.credits],
        [`${"0".repeat(400)}3`, 3]
      ]
      for (const [text, credit] of cases) {
        assert.deepStrictEqual(yield* of({ [Header.credit]: text }), { credit, cursor: undefined }, text)
      }
    })
  )

  it.effect("refuses as a credit what is no such number", () =>
    Effect.gen(function* () {
      for (const text of ["", "0", "000", "-1", "1.5", "1e3", "many", "Infinity", "0x10", "1 2"]) {
        const error = yield* Effect.flip(of({ [Header.credit]: text }))
        assert.deepInclude(error, { _tag: "InvalidRequest", field: Header.credit }, text)
      }
    })
  )

  it.effect("takes a cursor with a credit, and neither where the answer is to be one message", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* of({}))
      assert.deepStrictEqual(yield* of({ [Header.credit]: "2", [Header.cursor]: "c" }), { credit: 2, cursor: "c" })
      assert.deepInclude(yield* Effect.flip(of({ [Header.cursor]: "c" })), { field: Header.cursor })
    })
  )
})
