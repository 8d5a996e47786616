/** How does a bench get a process of its own that says by a message when it is ready? */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { Effect } from "effect"

/** How a process is started, and ended with its scope. */
interface Manner {
  /** Options of node; those of this process without them. */
  readonly execArgv?: ReadonlyArray<string>
  readonly signal: "SIGKILL" | "SIGTERM"
}

/** Starts a file and waits for its first message; it ends with the scope. */
export const forkChild = (file: string, args: ReadonlyArray<string>, { execArgv, signal }: Manner) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const child = fork(file, args, { stdio: ["ignore", 2, 2, "ipc"], ...(execArgv && { execArgv: [...execArgv] }) })
      await once(child, "message")
      return child
    }),
    (child: ChildProcess) =>
      Effect.promise(async () => {
        const ended = once(child, "exit")
        child.kill(signal)
        await ended
      })
  )
