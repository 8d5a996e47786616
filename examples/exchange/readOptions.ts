/** What does the command line ask for, and what is said when it makes no sense? */
import { parseArgs } from "node:util"
import { faultNames, type FaultName, type FaultShares } from "./Faults.ts"
import type { Pair } from "./Market.ts"
import { UsageError } from "./UsageError.ts"

/** What `--help` prints. */
export const usage = `Usage: node examples/exchange/exchange.ts --csv BASE/QUOTE=FILE [options]

An exchange on this machine that serves recorded candles and trades as Binance's public spot API does.

  --csv BTC/BUSD=FILE   candles of one pair; again for more pairs, or for more files of one pair
                        (header ts,open,high,low,close,volume; the interval is the smallest step between rows;
                        longer intervals without a file are rolled up from the finest, shorter ones refused)
  --trades XRP/ETH=FILE trades of one pair, beside its candles or without them; again as above
                        (header ts,id,side,price,amount)
  --port N              port on 127.0.0.1 (default 0: any free one)
  --latency-ms N        hold every answer back that long (default 0)
  --fault NAME=SHARE    let a share (0 to 1) of the requests for klines or trades go wrong; once for each name:
                          429       too many requests, Retry-After: 1
                          500       server error
                          hang      never answered
                          truncate  only a first part of the page
  --seed N              draw other faults, the same for the same seed (default 1)
  --log FILE            append one JSON line for each request
  --help                print this

Prints {"ready":true,"url":"http://127.0.0.1:PORT"} when it listens; SIGTERM or SIGINT ends it.
`

/** One `--csv`, or one `--trades`. */
export interface CsvOption extends Pair {
  readonly file: string
}

/** The command line, understood. */
export interface Options {
  readonly help: boolean
  readonly csv: ReadonlyArray<CsvOption>
  readonly trades: ReadonlyArray<CsvOption>
  readonly port: number
  readonly latencyMs: number
  readonly faults: FaultShares
  readonly seed: number
  readonly log: string | undefined
}

// A minute is more than any client waits; longer is a typing error.
const latencyMsMax = 60_000
const portMax = 65_535
// The generator starts from 32 bits.
const seedMax = 2 ** 32 - 1

const parse = (args: ReadonlyArray<string>) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        csv: { type: "string", multiple: true, default: [] },
        trades: { type: "string", multiple: true, default: [] },
        port: { type: "string", default: "0" },
        "latency-ms": { type: "string", default: "0" },
        fault: { type: "string", multiple: true, default: [] },
        seed: { type: "string", default: "1" },
        log: { type: "string" },
        help: { type: "boolean", default: false }
      }
    }).values
  } catch (cause) {
    const what = cause instanceof Error ? cause.message.replaceAll("\n", " ") : String(cause)
    throw new UsageError(`${what.replace(/\.$/, "")}; --help lists the options`, { cause })
  }
}

const wholeNumber = (name: string, text: string, max: number): number => {
  if (!/^\d{1,10}$/.test(text) || Number(text) > max) {
    throw new UsageError(`--${name} ${text}: must be a whole number from 0 to ${max}`)
  }
  return Number(text)
}

const readFile = (option: "csv" | "trades", text: string): CsvOption => {
  const parts = /^([A-Z0-9]+)\/([A-Z0-9]+)=(.+)$/.exec(text)
  const [, base, quote, file] = parts ?? []
  if (base === undefined || quote === undefined || file === undefined) {
    throw new UsageError(
      `--${option} ${text}: must be BASE/QUOTE=FILE in capitals, such as BTC/BUSD=${option === "csv" ? "candles" : "trades"}.csv`
    )
  }
  return { base, quote, file }
}

const readFault = (text: string): readonly [FaultName, number] => {
  const [given = "", share = ""] = text.split(/=(.*)/s)
  const name = faultNames.find((each) => each === given)
  if (name === undefined || !/^(0|1|0?\.\d+|[01]\.0+)$/.test(share)) {
    const right = `NAME one of ${faultNames.join(" ")} and SHARE from 0 to 1, such as 429=0.1`
    throw new UsageError(`--fault ${text}: must be NAME=SHARE, ${right}`)
  }
  return [name, Number(share)]
}

// Shares such as 0.7 + 0.2 + 0.1 may come out a hair above 1.
const shareTolerance = 1e-9

const readFaults = (texts: ReadonlyArray<string>): FaultShares => {
  const faults = texts.map(readFault)
  const shares = Object.fromEntries(faults)
  const twice = faults.find(([name], index) => faults.findIndex(([other]) => other === name) < index)
  if (twice !== undefined) throw new UsageError(`--fault ${twice[0]}: is given twice; give each fault once`)
  const total = faults.reduce((sum, [, share]) => sum + share, 0)
  if (total > 1 + shareTolerance) {
    throw new UsageError(`--fault: the shares add up to ${Number(total.toFixed(6))}; together they must be at most 1`)
  }
  return shares
}

/** Reads the arguments behind the program's name. Fails with a `UsageError`. */
export const readOptions = (args: ReadonlyArray<string>): Options => {
  const values = parse(args)
  if (!values.help && values.csv.length + values.trades.length === 0) {
    throw new UsageError("no market to trade; give at least one --csv, such as --csv BTC/BUSD=candles.csv")
  }
  return {
    help: values.help,
    csv: values.csv.map((text) => readFile("csv", text)),
    trades: values.trades.map((text) => readFile("trades", text)),
    port: wholeNumber("port", values.port, portMax),
    latencyMs: wholeNumber("latency-ms", values["latency-ms"], latencyMsMax),
    faults: readFaults(values.fault),
    seed: wholeNumber("seed", values.seed, seedMax),
    log: values.log
  }
}
