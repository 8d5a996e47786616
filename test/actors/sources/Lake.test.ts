/** Do files give their bars exactly, however they are written, and say truly what is wrong with them? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import type { DataSource, RequestFailed } from "../../../actors/sources/DataSource.ts"
import * as Lake from "../../../actors/sources/Lake.ts"
import { localFiles, quoteText } from "../../../actors/sources/Parquet.ts"
import type { RawRows } from "../../../protocol/frame/RawRows.ts"
import type { LakeSettings } from "../../../protocol/Settings.ts"
import { dataSourceSuite } from "../../suites/dataSourceSuite.ts"
import { readBars } from "../../support/csv.ts"
import { intervalOf } from "../../support/rows.ts"

const dataFile = (name: string): string => fileURLToPath(new URL(`../../../examples/data/${name}.csv`, import.meta.url))

const fullDay = dataFile("binance-btcbusd-1m-20221213")
const quiet = dataFile("binance-unittestbtc-1m-20171104")
const trades = dataFile("binance-xrpeth-trades-20191011")
const minute = intervalOf("1m")

/** A folder for one test. */
const folder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-lake-test-"))),
  (made) => Effect.sync(() => rmSync(made, { recursive: true }))
)

const lake = (path: string, more: Partial<LakeSettings> = {}): Effect.Effect<DataSource> =>
  Lake.make("lake", { kind: "lake", path, ...more }, dirname(path))

/** Rows of a CSV file as a Parquet file, by what DuckDB makes of them. */
const toParquet = (csv: string, parquet: string, columns = "ts::BIGINT AS ts, * EXCLUDE (ts)") =>
  localFiles.ask({
    sql: `COPY (SELECT ${columns} FROM read_csv(${quoteText(csv)}, header = true)) TO ${quoteText(parquet)} (FORMAT parquet)`
  })

const inFolder = (make: (made: string) => Effect.Effect<DataSource, RequestFailed>) => Effect.flatMap(folder, make)

dataSourceSuite({
  name: "lake, CSV",
  make: inFolder((made) => {
    copyFileSync(fullDay, join(made, "BTCBUSD-1m.csv"))
    return lake(join(made, "{symbol}-1m.csv"), { barsPerRequest: 500 })
  }),
  symbol: "BTC/BUSD",
  interval: minute,
  bars: readBars(fullDay),
  tellsFirstBar: false
})

dataSourceSuite({
  name: "lake, Parquet, a quiet market",
  make: inFolder((made) => {
    const file = join(made, "all.parquet")
    const columns = "epoch_ms(ts) AS ts, * EXCLUDE (ts), 'UNITTEST/BTC' AS symbol"
    return Effect.andThen(toParquet(quiet, file, columns), lake(file, { barsPerRequest: 1000 }))
  }),
  symbol: "UNITTEST/BTC",
  interval: minute,
  bars: readBars(quiet),
  tellsFirstBar: false
})
