/**
 * What happened in a run, in the order in which it did?
 *
 * Everything that can be judged afterwards: what was stored, what was asked and answered, what the sources were asked,
 * which steps were taken, which faults there were. Its hash tells two runs apart.
 */
import type { Range } from "../../protocol/history/Range.ts"
import type { JobVerb } from "../../protocol/messages/Operate.ts"
import type { RemovedEntry, StoredEntry } from "../../runtime/simulated/SimulatedServer.ts"

/** An operator's word about time of a series. */
export interface Word {
  readonly verb: JobVerb | "invalidate" | "reprocess"
  readonly node: string
  readonly range: Range
}

/** One thing that a caller asked. */
export interface Operation {
  readonly client: string
  /** Its number in the run. */
  readonly id: string
  readonly what: string
  /** What it was about: an actor's key, or a series and a range. */
  readonly about: string
  /** Where it was an operator's. */
  readonly word?: Word | undefined
  readonly invokedAtMs: number
  /** When it had to be answered. */
  readonly untilMs: number
  completedAtMs: number
  /** `ok`, the tag of an error, or `open` where it never ended. */
  outcome: string
  /** What came back. */
  answer: unknown
}

/** One page that a source was asked for. */
export interface PageAsked {
  readonly host: string
  readonly series: number
  readonly startMs: number
  readonly endMs: number
  readonly atMs: number
  outcome: string
}

/** One request that reached a source, whatever came of it. */
export interface RequestSent {
  readonly atMs: number
  /** When the source has done with it, or nobody waits for it any more. */
  endedAtMs: number
}

/** What was told of a job, as somebody heard it who listened. */
export interface EventHeard {
  readonly atMs: number
  readonly data: Uint8Array
}

/** A fault, or another thing that was done to the cluster. */
export interface Fault {
  readonly atMs: number
  readonly kind: string
  readonly target: string
}

/** A step that an actor took. */
export interface Step {
  readonly atMs: number
  readonly key: string
  readonly operation: string
  readonly untilMs: number
}

/** What a host had to say of an error, or of an invariant that did not hold. */
export interface Complaint {
  readonly host: string
  readonly text: string
}

/** A line of a trace. */
export interface Line {
  readonly atMs: number
  readonly who: string
  readonly text: string
}

/** Mixes a text into a hash: FNV-1a over its characters. */
const mixed = (hash: number, text: string): number => {
  let next = hash
  for (let at = 0; at < text.length; at++) next = Math.imul(next ^ text.charCodeAt(at), 0x01000193)
  return next >>> 0
}

/** The history of one run. */
export class History {
  stored: Array<StoredEntry> = []
  /** What storage has lost of it. */
  lost: Array<StoredEntry> = []
  /** What was removed by its sequence. */
  readonly removed: Array<RemovedEntry> = []
  readonly operations: Array<Operation> = []
  readonly pages: Array<PageAsked> = []
  readonly requests: Array<RequestSent> = []
  readonly events: Array<EventHeard> = []
  readonly faults: Array<Fault> = []
  readonly steps: Array<Step> = []
  readonly complaints: Array<Complaint> = []
  /** Empty unless the run is traced. */
  readonly lines: Array<Line> = []
  /** Whether storage has lost what it had acknowledged. */
  isRolledBack = false
  private readonly now: () => number
  private readonly isTraced: boolean
  private hash = 0x811c9dc5

  constructor(now: () => number, isTraced: boolean) {
    this.now = now
    this.isTraced = isTraced
  }

  /** Takes notice of something; the text is made where somebody wants to read it. */
  note(who: string, what: string, text: () => string): void {
    this.hash = mixed(this.hash, `${this.now()} ${who} ${what}`)
    if (this.isTraced) this.lines.push({ atMs: this.now(), who, text: `${what} ${text()}` })
  }

  /** Leaves out what streams have lost that they had accepted after a moment; gives how much that is. */
  forgetStored(streams: ReadonlyArray<string>, keepUntilMs: number): number {
    const isKept = ({ atMs, stream }: StoredEntry): boolean => atMs <= keepUntilMs || !streams.includes(stream)
    const lost = this.stored.filter((entry) => !isKept(entry))
    this.lost.push(...lost)
    this.stored = this.stored.filter(isKept)
    return lost.length
  }

  /** Adds a line to the trace, which says nothing of what happened: the hash is without it. */
  tell(who: string, text: () => string): void {
    if (this.isTraced) this.lines.push({ atMs: this.now(), who, text: text() })
  }

  /** Eight digits that two runs share only where they were the same. */
  digest(): string {
    return this.hash.toString(16).padStart(8, "0")
  }
}
