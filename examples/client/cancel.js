/**
 * How does a program call off what it has asked?
 *
 * By a signal, as elsewhere in JavaScript: the promise rejects at once, and the host is told.
 */
import process from "node:process"
import { connect, SeamlessError } from "seamless"

const [servers = "nats://127.0.0.1:4222"] = process.argv.slice(2)
await using client = await connect({ servers })

const controller = new AbortController()
const reading = client.read("ohlcv:binance:BTC/BUSD", "1m", new Date("2022-12-13"), new Date("2022-12-14"), {
  signal: controller.signal
})
controller.abort(new Error("the window was closed"))
try {
  await reading
} catch (error) {
  if (!(error instanceof SeamlessError)) throw error
  console.log(`${error.tag}: ${error.cause.message}`)
}
