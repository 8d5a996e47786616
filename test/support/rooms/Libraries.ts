/**
 * Which outside library may be used where?
 *
 * Each has one room, so that replacing it touches one place. `test` and `bench` may use any.
 */
import { isBuiltin } from "node:module"

/** One library, and the folders (ending in `/`) and files that may open it. */
export interface Library {
  readonly name: string
  readonly matches: (specifier: string) => boolean
  readonly only: ReadonlyArray<string>
}

const named =
  (pattern: RegExp) =>
  (specifier: string): boolean =>
    pattern.test(specifier)

const platform = ["runtime/", "actors/sources/", "bin/", "scripts/", "examples/"]

const everywhere = ["protocol/", "runtime/", "cluster/", "actors/", "client/", "bin/", "scripts/", "examples/"]

/** The library table; the first row that matches decides. */
export const libraries: ReadonlyArray<Library> = [
  { name: "@nats-io/*", matches: named(/^@nats-io\//), only: ["runtime/nats/"] },
  { name: "ccxt", matches: named(/^ccxt(\/|$)/), only: ["actors/sources/Exchange.ts"] },
  { name: "DuckDB", matches: named(/^(@duckdb\/|duckdb)/), only: ["actors/sources/Parquet.ts"] },
  {
    name: "apache-arrow",
    matches: named(/^apache-arrow(\/|$)/),
    // its bytes are written and read in one place; the client hands out its table
    only: ["protocol/frame/FrameCodec.ts", "client/HistoryFrame.ts"]
  },
  { name: "OpenTelemetry", matches: named(/^(@opentelemetry\/|@effect\/opentelemetry)/), only: ["runtime/telemetry/"] },
  { name: "msgpackr", matches: named(/^msgpackr/), only: ["protocol/wire/Codec.ts"] },
  { name: "yaml", matches: named(/^yaml(\/|$)/), only: ["bin/"] },
  {
    name: "node:crypto",
    matches: named(/^(node:)?crypto$/),
    only: [...platform, "protocol/frame/contentHash.ts"]
  },
  { name: "node:*", matches: isBuiltin, only: platform },
  { name: "@effect/platform-node", matches: named(/^@effect\/platform/), only: platform },
  // test clocks and test layers, never in what ships
  { name: "effect/testing", matches: named(/^effect\/testing(\/|$)/), only: [] },
  { name: "effect", matches: named(/^effect(\/|$)/), only: everywhere }
]

/** Whether a file may open a library of the table. */
export const mayUse = (path: string, library: Library): boolean =>
  /^(test|bench)\//.test(path) ||
  library.only.some((place) => path === place || (place.endsWith("/") && path.startsWith(place)))

/** Whether a file may open a library that the table doesn't name: tools may, the product may not. */
export const mayUseUnlisted = (path: string): boolean => /^(test|bench|scripts)\//.test(path)
