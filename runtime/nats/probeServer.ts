/** Does a NATS server with JetStream answer at an address? */
import { Effect, Option } from "effect"
import { createConnection } from "node:net"

// On loopback an answer takes a millisecond; a frozen server gives none.
const answerTimeout = "1 second"

// The greeting of a server is about 500 characters.
const greetingCharsMax = 16_384

/** A server greets whoever connects with one line of facts; it does so only when its store is open. */
const isGreeting = (line: string): boolean => line.startsWith("INFO ") && line.includes('"jetstream":true')

/** Whether one answers at `url` (`nats://host:port`) within a second. */
export const probeServer = (url: string): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume) => {
    const { hostname, port } = new URL(url)
    const socket = createConnection({ host: hostname, port: Number(port) })
    const answer = (found: boolean) => {
      socket.destroy()
      resume(Effect.succeed(found))
    }
    let greeting = ""
    socket.setEncoding("utf8")
    socket.on("data", (text: string) => {
      greeting += text
      if (greeting.includes("\r\n") || greeting.length > greetingCharsMax) answer(isGreeting(greeting))
    })
    socket.on("error", () => answer(false))
    socket.on("close", () => answer(false))
    return Effect.sync(() => socket.destroy())
  }).pipe(Effect.timeoutOption(answerTimeout), Effect.map(Option.getOrElse(() => false)))
