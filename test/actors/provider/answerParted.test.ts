/** Is a refusal in the place of parts one that a message carries? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { answerParted } from "../../../actors/provider/answerParted.ts"
import * as EncodingTurns from "../../../actors/provider/EncodingTurns.ts"
import type { Refused } from "../../../actors/provider/read.ts"
import { refusedUnread } from "../../../actors/provider/refusedUnread.ts"
import * as Frame from "../../../protocol/frame/Frame.ts"
import { CoverageMissing } from "../../../protocol/history/Errors.ts"
import { HistoryMeta } from "../../../protocol/history/HistoryResult.ts"
import { meta as wireMeta } from "../../client/answers.ts"
import { entry, lack } from "../../support/requests.ts"

const meta = Schema.decodeUnknownSync(HistoryMeta)(wireMeta)

/** A refusal of a range in so many pieces. */
const refusalOf = (pieces: number): Refused => {
  const missingRanges = Array.from({ length: pieces }, (_, index) => lack([2 * index, 2 * index + 1], "missing"))
  const error = new CoverageMissing({ expectedBars: 10, missingBars: pieces, missingRanges })
  return refusedUnread(error, { ...meta, missingRanges }, Frame.empty(entry.schema))
}

const answered = (pieces: number) =>
  Effect.gen(function* () {
    const turns = yield* EncodingTurns.make
    const terms = { readParts: () => Effect.fail(refusalOf(pieces)), turns, form: "json", bytesMax: 10_000 } as const
    const ask = { request: {}, place: Effect.void, credit: Effect.die("no parts"), send: () => undefined }
    return yield* Effect.flip(answerParted(terms, ask))
  })

describe("answerParted()", () => {
  it.effect("answerParted() gives a refusal with its account, and without what only rows tell", () =>
    Effect.gen(function* () {
      const refused = yield* answered(3)
      if (refused._tag !== "Refused") return assert.fail(refused._tag)
      assert.strictEqual(refused.error._tag, "CoverageMissing")
      assert.lengthOf(refused.result.meta.missingRanges, 3)
      assert.notProperty(refused.result.meta, "qualitySummary")
      assert.notProperty(refused.error, "expectedBars")
      assert.match(refused.error.message, /^3 bars are missing/)
    })
  )

  it.effect("answerParted() says of a refusal that no message carries what to ask for instead", () =>
    Effect.gen(function* () {
      const error = yield* answered(300)
      if (error._tag !== "ResultTooLarge") return assert.fail(error._tag)
      assert.isTrue(error.ofAccount)
      assert.isAbove(error.bytes, error.bytesMax)
    })
  )
})
