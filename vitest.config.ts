import { defineConfig } from "vitest/config"
import type { Reporter } from "vitest/node"

/** one plain "N passed, N failed, N skipped" line at the very end of the run, easy to read for CI */
const plainSummary: Reporter = {
  onTestRunEnd(modules, unhandledErrors) {
    let passed = 0
    let failed = unhandledErrors.length
    let skipped = 0
    for (const module of modules) {
      let failedTests = 0
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === "passed") passed++
        else if (state === "failed") failedTests++
        else skipped++
      }
      // a file that could not be collected has no failed test of its own
      failed += failedTests === 0 && !module.ok() ? 1 : failedTests
    }
    process.once("exit", () => process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`))
  }
}

/** tests that start nats-server or other processes */
const realServers = ["test/integration/**/*.test.ts", "test/chaos/**/*.test.ts"]

/** of these, the ones that measure how long something takes, or keep both cores of a small machine busy */
const alone = [
  "test/chaos/**/*.test.ts",
  ...[
    "deadlines",
    "hostSession",
    "mailboxLimits",
    "manyActors",
    "members",
    "singleFlight",
    "slotClaim",
    "tcpProxy"
  ].map((name) => `test/integration/${name}.test.ts`)
]

const patient = { testTimeout: 120_000, hookTimeout: 60_000 }

export default defineConfig({
  // the package's own name means the source, not dist
  ssr: { resolve: { conditions: ["seamless-source", "node"] } },
  test: {
    // unit: no server, part of "npm run ok"; nats and alone: real servers and processes, two files at once or one
    projects: [
      {
        extends: true,
        // more than there are cores: many wait for a clock
        test: { name: "unit", include: ["test/**/*.test.ts"], exclude: realServers, maxWorkers: 3 }
      },
      {
        extends: true,
        test: {
          name: "nats",
          include: realServers,
          exclude: alone,
          ...patient,
          maxWorkers: 2,
          sequence: { groupOrder: 1 }
        }
      },
      {
        extends: true,
        test: { name: "alone", include: alone, ...patient, maxWorkers: 1, sequence: { groupOrder: 2 } }
      }
    ],
    // one process per file: OpenTelemetry globals, NATS connections and child processes do not leak between files
    pool: "forks",
    isolate: true,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    reporters: ["default", plainSummary],
    coverage: {
      provider: "v8",
      include: ["{protocol,runtime,cluster,actors,client,bin}/**/*.ts"],
      reporter: ["text-summary", "lcov"]
    }
  }
})
