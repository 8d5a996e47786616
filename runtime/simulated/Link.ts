/**
 * How does what a process and a simulated server say to each other get across?
 *
 * The network as one thing that can be swapped: a perfect one carries everything at once and in order; the
 * simulator's loses, delays, repeats and reorders, by its seed.
 */

/** What is carried: for the network to choose its faults by, and for people to read in a trace. */
export interface Parcel {
  readonly kind:
    | "write"
    | "read"
    | "readMany"
    | "queue"
    | "publish"
    | "request"
    | "subscribe"
    /** What the server has to say to one of those above. */
    | "answer"
    /** A message for a subscription. */
    | "message"
  readonly subject: string
}

/** The way between one process and the server. */
export interface Link {
  /**
   * Does `act` at the other side: now, later, twice or never. What is lost is lost without a word, and whoever waits
   * for an answer ends by a time of its own.
   */
  readonly carry: (way: "toServer" | "toProcess", parcel: Parcel, act: () => void) => void
  /** Whether the connection stands, as far as the process knows. */
  readonly isUp: () => boolean
  /** Calls each time the connection is back after it was lost; gives what takes that back. */
  readonly onReconnect: (handler: () => void) => () => void
  /** Calls once after so long on the process's own timers; gives what takes that back. */
  readonly after: (ms: number, run: () => void) => () => void
  /** How far behind the leader whoever answers this read is, in milliseconds; 0 where it is the leader. */
  readonly readLagMs: (kind: "read" | "readMany") => number
}
