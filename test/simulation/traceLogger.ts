/** What do the hosts of a run have to say? */
import { Logger } from "effect"
import type { History } from "./History.ts"

/** What a log entry says, in one line. */
const textOf = (message: unknown): string =>
  (Array.isArray(message) ? message : [message])
    .map((part) => (typeof part === "string" ? part : JSON.stringify(part)))
    .join(" ")

/** A logger of a process: what is an error is a complaint, and all of it is in the trace of a run that is traced. */
export const traceLogger = (host: string, history: History, isTraced: boolean): Logger.Logger<unknown, void> =>
  Logger.make(({ cause, logLevel, message }) => {
    const isComplaint = logLevel === "Error" || logLevel === "Fatal"
    if (!isTraced && !isComplaint) return
    const text = `${textOf(message)}${cause.reasons.length > 0 ? ` ${String(cause)}` : ""}`
    history.tell(host, () => `says (${logLevel}) ${text}`)
    if (isComplaint) history.complaints.push({ host, text })
  })
