/**
 * What does a program load that imports the client?
 *
 * The walk begins at the entry point and passes types over, since they are gone when a program runs.
 */
import { assert, it } from "vitest"
import { type Import, importsOf, resolveRelative } from "../support/source/importsOf.ts"
import { readSources } from "../support/source/SourceFile.ts"

const files = new Map(readSources().map((file) => [file.path, file]))

// `import { type A, type B }` names types alone, and is kept by Node all the same
const isLoaded = ({ kind }: Import): boolean => kind !== "type"

const specifiersOf = (path: string): ReadonlyArray<string> =>
  importsOf(files.get(path)!)
    .filter(isLoaded)
    .map(({ specifier = "(computed)" }) => specifier)

/** The files that are loaded with one, and the libraries that they open. */
const loadedWith = (entry: string) => {
  const paths = new Set([entry])
  const libraries = new Set<string>()
  for (const path of paths) {
    for (const specifier of specifiersOf(path)) {
      const target = resolveRelative(path, specifier)
      if (target === undefined) libraries.add(specifier.replace(/^effect\/.*/, "effect"))
      else paths.add(target)
    }
  }
  return { paths: [...paths], libraries: [...libraries].toSorted() }
}

const loaded = loadedWith("client/index.ts")

it("client/index.ts loads no code of a host", () => {
  const rooms = new Set(loaded.paths.map((path) => path.split("/")[0]))
  assert.deepStrictEqual(rooms, new Set(["client", "protocol", "runtime"]))
  assert.deepStrictEqual(
    loaded.paths.filter((path) =>
      /Actor|Mailbox|Ledger|EmbeddedServer|telemetry|simulated|nats\/(Key|Jet|Nats)/.test(path)
    ),
    ["runtime/nats/NatsCaller.ts"]
  )
})

it("client/index.ts loads few libraries, and none for streams, sources or telemetry", () => {
  assert.deepStrictEqual(loaded.libraries, [
    "@nats-io/transport-node",
    "apache-arrow",
    "effect",
    "msgpackr",
    "node:crypto"
  ])
})

it("client/index.ts loads less than a fifth of the product's files", () => {
  const product = [...files.keys()].filter((path) => /^(actors|bin|client|cluster|protocol|runtime)\//.test(path))
  assert.isBelow(loaded.paths.length, product.length / 5)
})
