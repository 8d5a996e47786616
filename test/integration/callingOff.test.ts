/**
 * Does a host stop when its caller wants no answer any more?
 *
 * A caller may have one request under way: while the host is at work on it, another is refused. The exchange answers
 * nothing for longer than any test runs, so only a request that was called off makes room.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { connect } from "../../client/connect.ts"
import type { SeamlessClient } from "../../client/SeamlessClient.ts"
import { SeamlessError } from "../../client/SeamlessError.ts"
import type { CallOptions } from "../../client/toPromise.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import { untilTrue } from "../support/untilTrue.ts"

const program = fileURLToPath(new URL("../../bin/seamless.ts", import.meta.url))

const file = BarFile.barFiles.quiet
const { interval, node: nodeId } = file
const { range } = BarFile.read(file)
const waiting = { strategy: "auto_backfill", sla: { totalDeadlineMs: 300_000 } } as const

const settings = {
  files: [file],
  exchange: { latencyMs: 60_000 },
  rest: { limits: { requestsPerCaller: 1, maxBars: 1000 } }
} as const

/** Each way to ask for what takes its time, and to want it no longer. */
const ways: ReadonlyArray<readonly [string, (client: SeamlessClient, call: CallOptions) => Promise<unknown>]> = [
  ["read", (client, call) => client.read(nodeId, interval, range[0], range[0] + 60_000, { ...waiting, ...call })],
  ["read in parts", (client, call) => client.read(nodeId, interval, ...range, { ...waiting, ...call })],
  [
    "ensureAvailable",
    (client, call) => client.ensureAvailable(nodeId, interval, range[0], range[0] + 60_000, { ...waiting, ...call })
  ],
  [
    "readMany",
    (client, call) =>
      client.readMany([{ nodeId, interval, start: range[0], end: range[0] + 60_000 }], { ...waiting, ...call })
  ],
  ["stream", (client, call) => client.stream(nodeId, interval, ...range, { ...waiting, ...call }).next()],
  [
    "a loop that is left",
    async (client, { signal }) => {
      const answer = client.stream(nodeId, interval, ...range, waiting)
      signal?.addEventListener("abort", () => void answer.return())
      await answer.next()
    }
  ]
]

/** Whether the host refuses the caller one more request, as it is at work on another. */
const isBusy = (client: SeamlessClient) =>
  Effect.promise(() =>
    client.coverage(nodeId, interval).then(
      () => false,
      (cause: unknown) => cause instanceof SeamlessError && cause.tag === "TooManyRequests"
    )
  )

describe("a host", () => {
  it.live("stops what is called off, whatever it is", () =>
    Effect.gen(function* () {
      const { servers } = yield* Cluster.start(settings)
      const client = yield* Effect.acquireRelease(
        // its other requests do not wait until there is room
        Effect.promise(() => connect({ servers, timeoutMs: 500 })),
        (opened) => Effect.promise(() => opened.close())
      )
      for (const [way, ask] of ways) {
        const controller = new AbortController()
        const outcome = ask(client, { signal: controller.signal }).then(
          () => "left",
          (cause: unknown) => (cause instanceof SeamlessError ? cause.tag : cause)
        )
        yield* untilTrue(`${way}: it is at work`, isBusy(client), 30_000)
        controller.abort()
        assert.strictEqual(yield* Effect.promise(() => outcome), way === "a loop that is left" ? "left" : "Cancelled")
        yield* untilTrue(
          `${way}: it has stopped`,
          Effect.map(isBusy(client), (busy) => !busy)
        )
      }
    })
  )

  it.live("is told by a command that is stopped", () =>
    Effect.gen(function* () {
      const { servers } = yield* Cluster.start(settings)
      const nc = yield* Cluster.startConnection(servers)
      const calledOff: Array<string> = []
      nc.subscribe("seamless.v1.cancel.*", { callback: (_, { subject }) => void calledOff.push(subject) })
      yield* Effect.promise(() => nc.flush())
      for (const [index, verb] of ["read", "ensure"].entries()) {
        const args = [
          verb,
          nodeId,
          interval,
          String(range[0]),
          String(range[0] + 60_000),
          "--strategy",
          "auto_backfill"
        ]
        const child = spawn(process.execPath, [program, ...args, "--deadline", "300000", "--nats", servers], {
          stdio: ["ignore", "ignore", "inherit"]
        })
        yield* Effect.addFinalizer(() => Effect.sync(() => void child.kill("SIGKILL")))
        const asked: Array<string> = []
        const subscription = nc.subscribe(`seamless.v1.${verb}`, {
          callback: (_, { subject }) => void asked.push(subject)
        })
        yield* untilTrue(
          "the host is asked",
          Effect.sync(() => asked.length > 0),
          30_000
        )
        subscription.unsubscribe()
        const ended = once(child, "exit")
        child.kill("SIGINT")
        assert.deepStrictEqual(yield* Effect.promise(() => ended), [130, null])
        yield* untilTrue(
          `${verb}: the call is called off`,
          Effect.sync(() => calledOff.length === index + 1)
        )
      }
    })
  )
})
