/** Is it told as a breach when whoever was asked says that the time is over, before it is? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as Budget from "../../../actors/provider/Budget.ts"
import { fillGap } from "../../../actors/provider/fillGap.ts"
import * as SeriesCatalog from "../../../actors/sources/SeriesCatalog.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { Backfill } from "../../../protocol/messages/Backfill.ts"
import { Coverage } from "../../../protocol/messages/Coverage.ts"
import { DeadlineExceeded, MailboxFull } from "../../../protocol/wire/Errors.ts"
import { configuration, minute, requestOf } from "../../support/requests.ts"

const refusing = (error: DeadlineExceeded | MailboxFull) =>
  Layer.mergeAll(
    Layer.succeed(Coverage, {
      of: () => Effect.die("nobody looks"),
      known: () => undefined,
      ensure: () => Effect.fail(error),
      commit: () => Effect.die("nobody commits"),
      confirm: () => Effect.die("nobody asks strictly")
    }),
    Layer.succeed(Backfill, { settled: Effect.succeed, newest: () => Effect.succeed([]) }),
    SeriesCatalog.layer(configuration)
  )

/** What a reader of ten missing minutes is told, whose demand fails so. */
const told = (error: DeadlineExceeded | MailboxFull, sla = { totalDeadlineMs: 2000 }) =>
  Effect.gen(function* () {
    const budget = yield* Budget.start(sla)
    const filled = yield* fillGap(requestOf({ sla }), RangeSet.of(0, 10 * minute), budget)
    return { filled, report: yield* budget.report }
  }).pipe(Effect.provide(refusing(error)))

describe("fillGap()", () => {
  it.effect("fillGap() tells of a violation where the actor's host has no time for it", () =>
    Effect.gen(function* () {
      const { filled, report } = yield* told(new DeadlineExceeded({ waitingFor: "coverage", budgetMs: 1950 }))
      assert.isTrue(filled.timedOut)
      assert.deepStrictEqual(report.violation, { phase: "backfill", budgetMs: 1700, waitedMs: 0, retryAfterMs: null })
    })
  )

  it.effect("fillGap() tells of none where the gap is not asked for in another way: the note says why", () =>
    Effect.gen(function* () {
      const { filled, report } = yield* told(new MailboxFull({ address: "coverage", retryAfterMs: 100 }))
      assert.isFalse(filled.timedOut)
      assert.strictEqual(filled.notAsked?._tag, "MailboxFull")
      assert.isNull(report.violation)
    })
  )
})
