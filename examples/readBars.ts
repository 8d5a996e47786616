/**
 * How does a program read history?
 *
 * It asks for a range and gets the bars and an account of them. Run a host first, and give the address that it prints:
 * `npx node examples/readBars.ts nats://127.0.0.1:4222`
 */
import { connect, SeamlessError } from "seamless"

const [servers = "nats://127.0.0.1:4222"] = process.argv.slice(2)
const start = new Date("2022-12-13T00:00:00Z")
const end = new Date("2022-12-13T01:00:00Z")

try {
  // closed at the end of the block, however that is left
  await using client = await connect({ servers })
  const { df, meta } = await client.read("ohlcv:binance:BTC/BUSD", "1m", start, end, {
    strategy: "auto_backfill",
    sla: { totalDeadlineMs: 5000 }
  })
  console.log(`${df.length} bars, the last closed at ${df.columns["close"]?.at(-1)}`)
  for (const { reason, start: from, state } of meta.missingRanges) console.log(`${state} from ${from}: ${reason}`)
  console.log(`version ${meta.coverageVersion}, ${meta.slaReport.elapsedMs} ms, ${meta.fingerprint}`)
} catch (error) {
  if (!(error instanceof SeamlessError)) throw error
  console.error(`${error.tag}: ${error.message}`)
  process.exitCode = 1
}
