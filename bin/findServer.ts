/**
 * Which nats-server does an embedded start use?
 *
 * The program in `scripts/` knows: it looks at the setting, at PATH and in the project folder, and fetches one where it
 * can. It runs as a process of its own, since nothing of it belongs into a host.
 */
import { Data, Effect } from "effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

/** There is no usable server; the reason names the ways to get one. */
export class NoServer extends Data.TaggedError("NoServer")<{ readonly reason: string }> {
  override get message() {
    return this.reason
  }
}

// from the source the program ends in .ts, from a build in .js, as this file does
const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."))
const program = fileURLToPath(new URL(`../scripts/natsServer${extension}`, import.meta.url))

const reasonOf = (cause: unknown): string => {
  const stderr = typeof cause === "object" && cause !== null && "stderr" in cause ? String(cause.stderr).trim() : ""
  return stderr === "" ? String(cause) : stderr
}

/** The path of a server that can be started. */
export const findServer: Effect.Effect<string, NoServer> = Effect.tryPromise({
  try: async () => (await promisify(execFile)(process.execPath, [program])).stdout.trim(),
  catch: (cause) => new NoServer({ reason: reasonOf(cause) })
})
