/** Does each recipe of the cookbook run as it stands there, and print what it says? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import { pythonWith } from "../support/pythonPackages.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const guide = readFileSync(`${root}/docs/guides/cookbook.md`, "utf8")

/** What a slow machine takes to fetch 150 MB of packages, the first time. */
const installedWithinMs = 900_000

interface Recipe {
  readonly title: string
  readonly language: string
  readonly code: string
  /** What it says that it prints. */
  readonly prints: string
}

const recipes: ReadonlyArray<Recipe> = guide
  .split(/^## /m)
  .slice(1)
  .map((section) => {
    const [, language = "", code = ""] = /^```(\w+)\n([^]*?)^```$/m.exec(section) ?? []
    const [, prints = ""] = /^(?:\/\/|#) prints "(.*)"$/m.exec(code) ?? []
    return { title: section.split("\n")[0] ?? "", language, code, prints }
  })

const run = promisify(execFile)

/** What a recipe prints, run in the package's own folder, from where its name means the source. */
const cook = ({ code }: Recipe, servers: string, python?: string) =>
  Effect.promise(async () => {
    const program = code.replace("nats://127.0.0.1:4222", servers)
    const options = { cwd: root }
    const { stdout } =
      python === undefined
        ? await run(
            process.execPath,
            ["--conditions=seamless-source", "--input-type=module", "--eval", program],
            options
          )
        : await run(python, ["-c", program], options)
    return stdout.trim()
  })

const { fullDay, otherExchange, quiet } = BarFile.barFiles

/** A host that has the recorded days, and knows that there is nothing before and behind the first of them. */
const start = Effect.map(
  Cluster.start({
    files: [fullDay, otherExchange, quiet],
    series: ({ node }) =>
      node === fullDay.node ? { listedAt: Date.UTC(2022, 11, 13), delistedAt: Date.UTC(2022, 11, 14) } : {}
  }),
  ({ servers }) => servers
)

describe("the cookbook", () => {
  it("has ten recipes, each with a program and what it prints", () => {
    assert.strictEqual(recipes.length, 10)
    for (const { code, prints, title } of recipes) assert.isTrue(code !== "" && prints !== "", title)
  })

  it.live("each recipe in JavaScript prints what it says", () =>
    Effect.gen(function* () {
      const servers = yield* start
      for (const recipe of recipes.filter(({ language }) => language === "js")) {
        assert.strictEqual(yield* cook(recipe, servers), recipe.prints, recipe.title)
      }
    })
  )

  it.live(
    "the recipe in Python prints what it says, where the machine has Python and a package index",
    ({ annotate }) =>
      Effect.gen(function* () {
        const python = yield* Effect.promise(() => pythonWith(["nats-py", "pyarrow", "pandas", "polars"]))
        if ("lacks" in python) {
          // the claim could not be looked at here, and that is told: not one of the reasons is a failure of the recipe
          yield* Effect.promise(() => annotate(`the Python recipe was not run: ${python.lacks}`))
          return assert.include(["no python3", "no package index"], python.lacks)
        }
        const servers = yield* start
        const recipe = recipes.find(({ language }) => language === "python")!
        assert.strictEqual(yield* cook(recipe, servers, python.path), recipe.prints)
      }),
    installedWithinMs
  )
})
