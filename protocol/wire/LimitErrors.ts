/**
 * What is refused since it is more than a host takes?
 *
 * Nothing was done about any of it. What has to wait says how long; what is too much stays so, and has to be less.
 */
import { Schema } from "effect"
import { HostLimit, limitText } from "./Limits.ts"

/** The request has more bytes than any that is meant. */
export class RequestTooLarge extends Schema.TaggedError<RequestTooLarge>()("RequestTooLarge", {
  bytes: Schema.Finite,
  bytesMax: Schema.Finite
}) {
  override get message() {
    return `the request has ${this.bytes} bytes; at most ${this.bytesMax} are taken`
  }
}

/**
 * As many requests of this caller are under way on the host as it takes of one, or as many of the kind that `limit`
 * says: `limitMax`, as in `MailboxFull`, and `requestsMax` are the same number. Ask again after `retryAfterMs`.
 */
export class TooManyRequests extends Schema.TaggedError<TooManyRequests>()("TooManyRequests", {
  /** By what the host tells callers apart. */
  caller: Schema.String,
  requestsMax: Schema.Finite,
  retryAfterMs: Schema.Finite,
  limit: Schema.optionalKey(HostLimit),
  limitMax: Schema.optionalKey(Schema.Finite)
}) {
  override get message() {
    const what = limitText[this.limit ?? "requests"]
    return (
      `${this.requestsMax} ${what} of the caller ${this.caller} are under way on this host: ` +
      `wait for some of them, or ask again after ${this.retryAfterMs} ms`
    )
  }
}

/** The request has more reads than one may have. */
export class TooManyReads extends Schema.TaggedError<TooManyReads>()("TooManyReads", {
  reads: Schema.Finite,
  readsMax: Schema.Finite
}) {
  override get message() {
    return `the request has ${this.reads} reads; at most ${this.readsMax} in one request: send several`
  }
}
