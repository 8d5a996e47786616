/** Which headers does a message carry, and what do they mean? */

/** The names of the headers that Seamless sets and reads; NATS compares them letter by letter. */
export const Header = {
  /** Form of the request's body. */
  contentType: "Content-Type",
  /** Form that the reply should have. */
  accept: "Accept",
  /** What is left of the caller's time: a duration in milliseconds, never a wall-clock time. */
  budgetMs: "Seamless-Budget-Ms",
  /** What the caller names its request, to call it off by. */
  call: "Seamless-Call",
  /** Who the caller is among those that share a connection's rights. */
  caller: "Seamless-Caller",
  /** How many parts of the answer may be on their way at once; its caller takes parts. */
  credit: "Seamless-Credit",
  /** Of a request: where its answer goes on. Of a part: where the next one begins; absent on the last. */
  cursor: "Seamless-Cursor",
  /** Number of a part within its request, from 0. */
  part: "Seamless-Part",
  /** Where the reader says how many more parts it takes. */
  flow: "Seamless-Flow",
  /** `true` on the last part. */
  last: "Seamless-Last",
  /** Place of the read in its request that a message answers, from 0. */
  item: "Seamless-Item",
  /** `true` on the very last message of an answer to several reads. */
  end: "Seamless-End",
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
  messagePack: "application/msgpack",
  arrow: "application/vnd.apache.arrow.stream"
} as const

/** The parameter of `MediaType.arrow` in `Accept` that asks for categories as dictionaries: `true` or `false`. */
export const dictionaryParameter = "dictionary"

/** The key of the Arrow schema's metadata that holds a reply's `meta`, as JSON. */
export const arrowMetaKey = "seamless.meta"
