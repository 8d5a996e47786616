/**
 * How does a program have a gap filled before it needs the bars?
 *
 * It says how long it waits; what is not there by then goes on being fetched.
 */
import process from "node:process"
import { connect } from "seamless"

const [servers = "nats://127.0.0.1:4222"] = process.argv.slice(2)
await using client = await connect({ servers })

const filled = await client.ensureAvailable(
  "ohlcv:binance:BTC/BUSD",
  "1m",
  new Date("2022-12-13T02:00:00Z"),
  new Date("2022-12-13T03:00:00Z"),
  { sla: { totalDeadlineMs: 20_000 } }
)
console.log(filled.available ? "it is all there" : "still missing:", ...filled.missingRanges)
