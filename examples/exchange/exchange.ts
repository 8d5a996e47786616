/**
 * How does one get an exchange to try things on, without a network and without an account?
 *
 * Serves recorded candles and trades over HTTP as Binance's public spot API does, slow or faulty when asked. `--help` says how.
 */
import { readCandleFile } from "./CandleFile.ts"
import { makeMarkets } from "./Market.ts"
import { readOptions, usage, type Options } from "./readOptions.ts"
import { openRequestLog } from "./RequestLog.ts"
import { startExchange, type RunningExchange } from "./startExchange.ts"
import { readTradeFile } from "./TradeFile.ts"
import { UsageError } from "./UsageError.ts"

const start = ({ csv, log, trades, ...settings }: Options): Promise<RunningExchange> => {
  const files = csv.map(({ file, ...pair }) => ({ ...pair, candles: readCandleFile(file) }))
  const recorded = trades.map(({ file, ...pair }) => ({ ...pair, trades: readTradeFile(file) }))
  return startExchange({
    ...settings,
    markets: makeMarkets(files, recorded),
    log: log === undefined ? () => {} : openRequestLog(log)
  })
}

const run = async (options: Options): Promise<void> => {
  const exchange = await start(options)
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void exchange.close())
  console.log(JSON.stringify({ ready: true, url: exchange.url }))
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options.help) process.stdout.write(usage)
  else await run(options)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`exchange: ${error.message}`)
  process.exitCode = 2
}
