/** How does the exchange listen, answer, stay silent, and stop? */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { setTimeout as wait } from "node:timers/promises"
import { answer, pagePaths, type Answer } from "./BinanceApi.ts"
import { makeFaults, strike, type FaultShares, type Outcome } from "./Faults.ts"
import type { Markets } from "./Market.ts"
import { logEntry, type RequestLog } from "./RequestLog.ts"
import { UsageError } from "./UsageError.ts"

/** Where it tells how many requests it leaves without an answer now, whose senders still wait. */
const hangingPath = "/hanging"

// An exchange made of recordings has no business on a network.
const host = "127.0.0.1"

/** What one exchange is made of. */
export interface ExchangeSettings {
  readonly markets: Markets
  /** 0 takes any free port. */
  readonly port: number
  /** How long each answer is held back. */
  readonly latencyMs: number
  readonly faults: FaultShares
  readonly seed: number
  readonly log: RequestLog
}

/** An exchange that listens. */
export interface RunningExchange {
  readonly url: string
  /** Stops listening and cuts every open connection, those that were left hanging too. */
  readonly close: () => Promise<void>
}

const healthy = { fault: null, cutAt: 0 } as const

/** Decides every request in the order of arrival, before any of them waits. */
const makeDecide = ({ markets, faults, seed }: ExchangeSettings): ((url: URL) => Outcome) => {
  const draw = makeFaults(faults, seed)
  const exchange = { markets, nowMs: () => Date.now() }
  return ({ pathname, searchParams }) =>
    strike(pagePaths.includes(pathname) ? draw() : healthy, answer(exchange, pathname, searchParams))
}

const send = (response: ServerResponse, { status, headers, body }: Answer): void => {
  response.writeHead(status, { "Content-Type": "application/json;charset=UTF-8", ...headers })
  response.end(JSON.stringify(body))
}

const listen = (server: ReturnType<typeof createServer>, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(new UsageError(`--port: cannot listen on ${port} (${cause.message}); give a free port, or 0`, { cause }))
    })
    server.listen(port, host, resolve)
  })

/** Listens on the loopback address. Fails with a `UsageError` if the port is taken. */
export const startExchange = async (settings: ExchangeSettings): Promise<RunningExchange> => {
  const decide = makeDecide(settings)
  let hanging = 0
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = URL.parse(request.url ?? "/", `http://${host}`) ?? new URL(`http://${host}/`)
    if (url.pathname === hangingPath) return send(response, { status: 200, headers: {}, body: { hanging } })
    const outcome = decide(url)
    settings.log(logEntry(Date.now(), url, outcome))
    if (outcome.answer === null) {
      hanging += 1
      response.once("close", () => void (hanging -= 1))
      return
    }
    // A held answer alone does not keep the process alive once the server is closed.
    if (settings.latencyMs > 0) await wait(settings.latencyMs, undefined, { ref: false })
    send(response, outcome.answer)
  }
  const server = createServer((request, response) => void handle(request, response))
  await listen(server, settings.port)
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : settings.port
  const stop = async (): Promise<void> => {
    const closed = server[Symbol.asyncDispose]()
    server.closeAllConnections()
    await closed
  }
  let stopping: Promise<void> | undefined
  // Once: Ctrl-C under npm brings the signal twice.
  const close = (): Promise<void> => (stopping ??= stop())
  return { url: `http://${host}:${port}`, close }
}
