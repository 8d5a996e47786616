/**
 * Whose request is it, and how many of theirs are under way?
 *
 * A caller is who says so, or else a connection: client libraries have one inbox for each, of which the first two
 * tokens of a reply subject are the name. It keeps callers from each other's way, and is no defence: names are free.
 */
import { Header } from "../protocol/wire/Header.ts"
import { TooManyRequests } from "../protocol/wire/LimitErrors.ts"
import type { Message } from "./Mesh.ts"

/** Of a name so much counts. */
const nameLengthMax = 128

/** Requests are short: one of as many has ended by then. */
const retryAfterMs = 100

/** What a caller is called. */
export const callerOf = ({ headers, replyTo }: Pick<Message, "headers" | "replyTo">): string => {
  const name = headers.get(Header.caller)?.trim().slice(0, nameLengthMax) ?? ""
  return name === "" ? replyTo.split(".", 2).join(".") : name
}

/** Counts requests by caller, and says which is one too many. */
export interface Callers {
  /** Takes a request, to be given back when it has ended; or why it is not taken. */
  readonly take: (message: Message) => TooManyRequests | (() => void)
}

/** Nobody has a request yet; each caller may have so many. */
export const makeCallers = (requestsMax: number): Callers => {
  const underWay = new Map<string, number>()
  return {
    take: (message) => {
      const caller = callerOf(message)
      const count = underWay.get(caller) ?? 0
      if (count >= requestsMax) return new TooManyRequests({ caller, requestsMax, retryAfterMs })
      underWay.set(caller, count + 1)
      return () => {
        const left = (underWay.get(caller) ?? 1) - 1
        if (left === 0) underWay.delete(caller)
        else underWay.set(caller, left)
      }
    }
  }
}
