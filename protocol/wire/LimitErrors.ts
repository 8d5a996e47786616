/**
 * What is refused since it is more than a host takes?
 *
 * Nothing was done about any of it. What has to wait says how long; what is too much stays so, and has to be less.
 */
import { Schema } from "effect"

/** The request has more bytes than any that is meant. */
export class RequestTooLarge extends Schema.TaggedError<RequestTooLarge>()("RequestTooLarge", {
  bytes: Schema.Finite,
  bytesMax: Schema.Finite
}) {
  override get message() {
    return `the request has ${this.bytes} bytes; at most ${this.bytesMax} are taken`
  }
}
