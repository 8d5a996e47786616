/** Which headers does a message carry, and what do they mean? */

/** The names of the headers that Seamless sets and reads; NATS compares them letter by letter. */
export const Header = {
  /** Form of the request's body. */
  contentType: "Content-Type",
  /** Form that the reply should have. */
  accept: "Accept",
  /** What is left of the caller's time: a duration in milliseconds, never a wall-clock time. */
  budgetMs: "Seamless-Budget-Ms",
  /** W3C trace context of the caller. */
  traceParent: "traceparent",
  /** W3C baggage of the caller. */
  baggage: "baggage",
  /** The tag of an error reply. */
  error: "Nats-Service-Error",
  /** The code of an error reply, in HTTP's numbers. */
  errorCode: "Nats-Service-Error-Code"
} as const

/** The forms of a body. */
export const MediaType = {
  json: "application/json",
  arrow: "application/vnd.apache.arrow.stream"
} as const

/** The parameter of `MediaType.arrow` in `Accept` that asks for categories as dictionaries: `true` or `false`. */
export const dictionaryParameter = "dictionary"

/** The key of the Arrow schema's metadata that holds a reply's `meta`, as JSON. */
export const arrowMetaKey = "seamless.meta"
