/** Is progress shown to people and to nobody else, without a flicker, and is it gone in the end? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import * as ProgressDisplay from "../../bin/ProgressDisplay.ts"
import type { Progress } from "../../bin/progressLine.ts"

const eraseRest = "\u001b[K"

const { modeOf } = ProgressDisplay

const progress = (done: number): Progress => ({ done, wanted: 100, perSecond: 10, secondsLeft: 5, note: "" })

/** A stream that remembers what was written. */
const streamThat = (isTTY: boolean, columns?: number) => {
  const written: Array<string> = []
  const stream = { isTTY, write: (text: string) => written.push(text), ...(columns !== undefined && { columns }) }
  return { written, stream }
}

const table = { format: "table", progress: Option.none<boolean>() } as const

describe("modeOf()", () => {
  it.each([
    ["table", undefined, true, "redrawn"],
    ["table", undefined, false, "noted"],
    ["table", false, true, "hidden"],
    ["json", undefined, true, "hidden"],
    ["json", undefined, false, "hidden"],
    ["json", true, true, "redrawn"],
    ["json", true, false, "noted"]
  ] as const)("modeOf() of %s, --progress %s, a terminal %s is %s", (format, progress, isTTY, mode) => {
    assert.strictEqual(modeOf({ format, progress: Option.fromUndefinedOr(progress) }, { isTTY }), mode)
  })
})

describe("make()", () => {
  it.effect("a terminal has one line that is written over in one go, and only where it is another", () =>
    Effect.gen(function* () {
      const { stream, written } = streamThat(true, 80)
      const display = ProgressDisplay.make(table, stream)
      yield* display.show(progress(10))
      yield* display.show(progress(10))
      yield* display.show(progress(20))
      assert.lengthOf(written, 2)
      for (const text of written) {
        assert.isTrue(text.endsWith(eraseRest))
        assert.match(text.slice(0, -eraseRest.length), /^\r[█░]+ {2}\d0% [^\n\r]*$/)
      }
      yield* display.clear
      yield* display.clear
      assert.deepStrictEqual(written.slice(2), [`\r${eraseRest}`])
    })
  )

  it.effect("a terminal that does not know its width is one of 80 columns", () =>
    Effect.gen(function* () {
      const { stream, written } = streamThat(true, 0)
      yield* ProgressDisplay.make(table, stream).show(progress(10))
      // a return before it, three characters behind it, and a column that stays free
      assert.isAtMost(written[0]!.length, 1 + 79 + 3)
      assert.match(written[0]!, /ETA 0:05/)
    })
  )

  it.effect("anything else has a line every five seconds, and none for what is over sooner", () =>
    Effect.gen(function* () {
      const { stream, written } = streamThat(false)
      const display = ProgressDisplay.make(table, stream)
      for (let second = 0; second < 12; second++) {
        yield* display.show(progress(second))
        yield* TestClock.adjust("1 second")
      }
      yield* display.clear
      assert.deepStrictEqual(written, [
        "5%, 5 of 100 bars, 10 bars/s, ETA 0:05\n",
        "10%, 10 of 100 bars, 10 bars/s, ETA 0:05\n"
      ])
    })
  )

  it.effect("hidden it writes nothing", () =>
    Effect.gen(function* () {
      const { stream, written } = streamThat(true, 80)
      const display = ProgressDisplay.make({ ...table, format: "json" }, stream)
      yield* display.show(progress(1))
      yield* display.clear
      assert.deepStrictEqual(written, [])
    })
  )
})
