/**
 * How does a program see what it has just had filled, whichever host answers?
 *
 * It names the version that it was told: no answer is from before that.
 */
import process from "node:process"
import { connect } from "seamless"

const [servers = "nats://127.0.0.1:4222"] = process.argv.slice(2)
await using client = await connect({ servers })

const hour = [
  "ohlcv:binance:BTC/BUSD",
  "1m",
  new Date("2022-12-13T05:00:00Z"),
  new Date("2022-12-13T06:00:00Z")
] as const
const { coverageVersion } = await client.ensureAvailable(...hour, { sla: { totalDeadlineMs: 20_000 } })
const { df, meta } = await client.read(...hour, { strategy: "fail_fast", minVersion: coverageVersion })
console.log(`${df.length} bars, and ${meta.coverageVersion >= coverageVersion ? "nothing older" : "something older"}`)
