/**
 * How does a program read many series by one question?
 *
 * Each read has its own answer: its bars, or why there are none.
 */
import process from "node:process"
import { connect, SeamlessError } from "seamless"

const [servers = "nats://127.0.0.1:4222"] = process.argv.slice(2)
await using client = await connect({ servers })

const nodes = ["ohlcv:binance:BTC/BUSD", "ohlcv:binance:NO/SUCH"]
const range = { interval: "1m", start: new Date("2022-12-13T00:00:00Z"), end: new Date("2022-12-13T01:00:00Z") }
const outcomes = await client.readMany(
  nodes.map((nodeId) => ({ nodeId, ...range })),
  { strategy: "auto_backfill" }
)
for (const [at, outcome] of outcomes.entries()) {
  console.log(`${nodes[at]}: ${outcome instanceof SeamlessError ? outcome.tag : `${outcome.df.length} bars`}`)
}
