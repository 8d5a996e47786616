/** Does each example of the client do what it says, in plain JavaScript and in TypeScript? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { readdirSync } from "node:fs"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"

const folder = fileURLToPath(new URL("../../examples", import.meta.url))

const run = (example: string, servers: string) =>
  Effect.promise(async () => {
    const args = ["--conditions=seamless-source", `${folder}/${example}`, servers]
    const { stderr, stdout } = await promisify(execFile)(process.execPath, args)
    assert.strictEqual(stderr, "")
    return stdout
  })

/** What each says, in the order in which they run: each finds what those before it had filled. */
const says: ReadonlyArray<readonly [example: string, text: RegExp]> = [
  ["client/cancel.js", /^Cancelled: the window was closed\n$/],
  ["readBars.ts", /^60 bars, the last closed at [\d.]+\nversion \d+, [\d.]+ ms, sha256:[0-9a-f]{64}\n$/],
  ["client/ensure.js", /^it is all there\n$/],
  ["client/readYourWrites.ts", /^60 bars, and nothing older\n$/],
  ["client/batch.ts", /^ohlcv:binance:BTC\/BUSD: 60 bars\nohlcv:binance:NO\/SUCH: UnknownSeries\n$/],
  [
    "client/errors.js",
    /^UnknownSeries \(404\): .*\nUnalignedRange \(400\): .*\n {2}ask for 0 to 60000\nCoverageMissing \(404\): .*\n {2}missing: /
  ],
  ["client/stream.js", /^1440 bars of 1440, a volume of \d+\n$/],
  ["client/coverage.js", /^version \d+\ncovered from 2022-12-13T00:00:00.000Z to 2022-12-14T00:00:00.000Z\n$/],
  ["client/watch.js", /^version 1: 1 ranges more, 0 less, by binance for .*\nversion 2: /]
]

describe("examples of the client", () => {
  it.live("each says what it is to say", () =>
    Effect.gen(function* () {
      const { servers } = yield* Cluster.start({ files: [BarFile.barFiles.fullDay, BarFile.barFiles.otherExchange] })
      for (const [example, text] of says) assert.match(yield* run(example, servers), text, example)
    })
  )

  it("none is left out", () => {
    const files = readdirSync(`${folder}/client`).map((name) => `client/${name}`)
    assert.sameMembers(
      [...files, "readBars.ts"],
      says.map(([example]) => example)
    )
  })
})
