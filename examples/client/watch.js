/**
 * How does a program learn what changes of a series?
 *
 * From the version on that it wants: each change once, in order. Without `once` the loop goes on with what comes.
 */
import process from "node:process"
import { connect } from "seamless"

const [servers = "nats://127.0.0.1:4222"] = process.argv.slice(2)
await using client = await connect({ servers })

const series = { nodeId: "ohlcv:binance:BTC/BUSD", interval: "1m" }
for await (const change of client.watch(series, { from: 1, once: true })) {
  const { added, cause, removed, source, version } = change
  console.log(`version ${version}: ${added.length} ranges more, ${removed.length} less, by ${source} for ${cause}`)
}
