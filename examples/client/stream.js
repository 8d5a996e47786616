/**
 * How does a program go through more bars than it can hold?
 *
 * Frame by frame. Leaving the loop has the host stop; a connection that breaks is made good.
 */
import process from "node:process"
import { connect } from "seamless"

const [servers = "nats://127.0.0.1:4222"] = process.argv.slice(2)
await using client = await connect({ servers })

const answer = client.stream("ohlcv:binance:BTC/BUSD", "1m", new Date("2022-12-13"), new Date("2022-12-14"), {
  sla: { totalDeadlineMs: 20_000 }
})
let [bars, volume] = [0, 0]
for await (const df of answer) {
  bars += df.length
  for (const value of df.columns.volume) volume += value
}
const { qualitySummary } = await answer.meta
console.log(`${bars} bars of ${qualitySummary.expectedBars}, a volume of ${Math.round(volume)}`)
