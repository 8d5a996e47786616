/** Does a host that encodes one answer after another still do everything else? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as EncodingTurns from "../../../actors/provider/EncodingTurns.ts"
import { enforce, withBudget } from "../../../runtime/Deadline.ts"

/** Keeps the process busy for so long, as encoding does. */
const busy = (ms: number) => {
  const sinceMs = performance.now()
  while (performance.now() - sinceMs < ms);
}

describe("take()", () => {
  it.live("take() lets everything else have its turn between answers, and encodes each of them once", () =>
    Effect.gen(function* () {
      const turns = yield* EncodingTurns.make
      const happened: Array<string> = []
      const encode = (name: string) => () => {
        busy(3)
        return happened.push(name)
      }
      yield* Effect.forkChild(
        Effect.andThen(
          Effect.sleep(0),
          Effect.sync(() => happened.push("heartbeat"))
        )
      )
      const answers = ["a", "b", "c", "d", "e", "f"]
      yield* Effect.forEach(answers, (name) => turns.take(encode(name)), { concurrency: "unbounded" })
      assert.deepEqual(
        happened.filter((name) => name !== "heartbeat"),
        answers
      )
      assert.isBelow(happened.indexOf("heartbeat"), happened.indexOf("d"))
    })
  )
  it.live("take() ends the wait of who can't wait longer, and encodes nothing for them", () =>
    Effect.gen(function* () {
      const turns = yield* EncodingTurns.make
      yield* turns.take(() => busy(6))
      let encoded = 0
      const late = yield* turns
        .take(
          () => encoded++,
          (turn) => turn.pipe(enforce("the turn"), withBudget(0))
        )
        .pipe(Effect.flip)
      assert.equal(late._tag, "DeadlineExceeded")
      assert.equal(encoded, 0)
    })
  )
})
