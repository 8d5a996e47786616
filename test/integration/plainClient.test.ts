/** Does who knows only the page of the protocol get the same bars as the client of this project, bit for bit? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import { runPlain } from "../support/runPlain.ts"

const { fullDay, quiet } = BarFile.barFiles
const files = [fullDay, quiet]

/** What `readRange.js` prints. */
interface Printed {
  readonly rows: number
  readonly parts: number
  readonly fingerprint: string
  /** Whether the fingerprint is what the plain client computes from the rows. */
  readonly isVerified: boolean
  readonly missingRanges: number
}

/** The whole of a file as the plain client reads it. */
const readRange = (
  servers: string,
  { interval, node }: BarFile.BarFile,
  [start, end]: readonly number[],
  form: string
) =>
  Effect.promise(async (): Promise<Printed> => {
    const run = await runPlain("readRange.js", [servers, node, interval, String(start), String(end), form])
    assert.deepStrictEqual([run.code, run.err], [0, ""], run.out)
    return JSON.parse(run.out)
  })

describe("a client that was written from the page of the protocol alone", () => {
  it.live("reads a range in every form, in one message and in parts, and verifies its fingerprint by itself", () =>
    Effect.gen(function* () {
      // a message of half a megabyte has no part of its own of all rows, and the limit of one message is far below
      const { servers } = yield* Cluster.start({ files, rest: { limits: { maxBars: 2000 } } })
      for (const file of files) {
        const { fingerprint, frame, open, range } = BarFile.read(file)
        for (const form of ["json", "msgpack", "arrow"]) {
          const { parts, ...read } = yield* readRange(servers, file, range, form)
          const rows = frame.eventTimeMs.length
          assert.deepStrictEqual(read, { rows, fingerprint, isVerified: true, missingRanges: open.length }, form)
          if (file === quiet) assert.isAbove(parts, 1, form)
          else assert.strictEqual(parts, 1, form)
        }
      }
    })
  )

  it.live("is told what is wrong where a series is not kept", () =>
    Effect.gen(function* () {
      const { servers } = yield* Cluster.start({ files: [fullDay] })
      const run = yield* Effect.promise(() => runPlain("readRange.js", [servers, "ohlcv:no:SUCH", "1m", "0", "60000"]))
      assert.strictEqual(run.code, 1)
      assert.include(run.err, `tag: 'UnknownSeries'`)
    })
  )
})
