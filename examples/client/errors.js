/**
 * What does a program learn when there is no answer?
 *
 * Every promise rejects with a `SeamlessError`. Its tag is what to switch on: `is` tells it, and an editor knows the
 * fields of that tag then. `isRetryable` says whether the same question may be put again after a pause.
 */
import process from "node:process"
import { connect, SeamlessError } from "seamless"

const [servers = "nats://127.0.0.1:4222"] = process.argv.slice(2)
await using client = await connect({ servers })

const tell = async (question) => {
  try {
    await question
  } catch (error) {
    if (!(error instanceof SeamlessError)) throw error
    console.log(`${error.tag} (${error.code}): ${error.message}`)
    if (error.is("UnalignedRange")) console.log(`  ask for ${error.fields.alignedStart} to ${error.fields.alignedEnd}`)
    if (error.isRetryable) console.log("  ask again in a while")
    for (const { reason, state } of error.meta?.missingRanges ?? []) console.log(`  ${state}: ${reason}`)
  }
}

const day = [new Date("2022-12-13"), new Date("2022-12-14")]
await tell(client.read("ohlcv:binance:NO/SUCH", "1m", ...day))
await tell(client.read("ohlcv:binance:BTC/BUSD", "1m", 1, 2))
await tell(client.read("ohlcv:binance:BTC/USDT", "1m", ...day, { strategy: "fail_fast" }))
