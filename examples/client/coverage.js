/** How does a program see what there is of a series, without reading it? */
import process from "node:process"
import { connect } from "seamless"

const [servers = "nats://127.0.0.1:4222"] = process.argv.slice(2)
await using client = await connect({ servers })

const { coverageRanges, coverageVersion } = await client.coverage("ohlcv:binance:BTC/BUSD", "1m")
const text = (time) => new Date(time).toISOString()
console.log(`version ${coverageVersion}`)
for (const [start, end] of coverageRanges) console.log(`covered from ${text(start)} to ${text(end)}`)
