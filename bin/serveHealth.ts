/**
 * How does a probe learn whether this host is well?
 *
 * By HTTP, from the process itself: it answers while NATS is away, which is when it matters. A host that drains is
 * well; one that lost touch with NATS is not, and says why.
 */
import { Data, Effect, type Scope } from "effect"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { healthStatus, type HostState } from "../protocol/wire/HostReport.ts"
import type { HostStatus } from "../runtime/HostStatus.ts"

/** Where probes are answered. */
export interface HealthAddress {
  readonly host: string
  /** Zero takes any that is free. */
  readonly port: number
}

/** Nobody can be answered at that address. */
export class NoHealthEndpoint extends Data.TaggedError("NoHealthEndpoint")<
  HealthAddress & { readonly reason: string }
> {
  override get message() {
    return `health can't be answered at ${this.host} port ${this.port}: ${this.reason}; give another by --health-port`
  }
}

const path = "/health"

// a probe asks and is answered at once: who is slower holds a connection for nothing
const requestMsMax = 5000

const wellStates: ReadonlySet<HostState> = new Set(["serving", "draining"])

/** What a probe is answered. */
const healthAnswer = (state: HostState, { hostId, reason }: { readonly hostId: string; readonly reason: string }) => ({
  code: wellStates.has(state) ? 200 : 503,
  body: { status: healthStatus(state), ...(reason !== "" && { reason }), hostId }
})

const notFound = { code: 404, body: { error: `there is only ${path} here` } }
const notAllowed = { code: 405, body: { error: `${path} is only to be read` } }

const answerTo = (request: IncomingMessage, status: HostStatus["Service"], hostId: string) => {
  if (request.url?.split("?", 1)[0] !== path) return notFound
  if (request.method !== "GET" && request.method !== "HEAD") return notAllowed
  return healthAnswer(status.state(), { hostId, reason: status.reason() })
}

const respond = (response: ServerResponse, { body, code }: { readonly code: number; readonly body: object }): void => {
  response.writeHead(code, { "Content-Type": "application/json", "Cache-Control": "no-store" })
  response.end(`${JSON.stringify(body)}\n`)
}

const portOf = (server: Server, asked: number): number => {
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : asked
}

const reasonOf = (cause: Error): string => {
  const code = "code" in cause ? cause.code : undefined
  return code === "EADDRINUSE" ? "another program has it" : cause.message
}

const listen = (server: Server, { host, port }: HealthAddress): Effect.Effect<string, NoHealthEndpoint> =>
  Effect.callback((resume) => {
    server.once("error", (cause) => resume(new NoHealthEndpoint({ host, port, reason: reasonOf(cause) })))
    server.listen(port, host, () => {
      const name = host.includes(":") ? `[${host}]` : host
      resume(Effect.succeed(`http://${name}:${portOf(server, port)}${path}`))
    })
  })

const close = (server: Server): Effect.Effect<void> =>
  Effect.callback((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })

/** Answers probes until the scope ends; gives the URL. */
export const serveHealth = (
  status: HostStatus["Service"],
  { hostId, ...address }: HealthAddress & { readonly hostId: string }
): Effect.Effect<string, NoHealthEndpoint, Scope.Scope> =>
  Effect.gen(function* () {
    const server = yield* Effect.acquireRelease(
      Effect.sync(() =>
        createServer({ requestTimeout: requestMsMax, headersTimeout: requestMsMax }, (request, response) =>
          respond(response, answerTo(request, status, hostId))
        )
      ),
      close
    )
    return yield* listen(server, address)
  })
