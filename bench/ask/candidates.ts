/** Who is compared, and what do we want to be true of it? */

/**
 * One way to ask an actor in another process. Its programs are `host.ts` and `client.ts` in its folder; candidates of one
 * folder have a host together.
 */
export interface Candidate {
  /** What the flags call it. */
  readonly name: string
  /** What the tables call it. */
  readonly title: string
  readonly folder: string
  /** What its client is told besides addresses. */
  readonly args: ReadonlyArray<string>
}

/** In the order in which they are measured: who is compared with ours stands near it. */
export const candidates: ReadonlyArray<Candidate> = [
  { name: "bare", title: "bare NATS loop", folder: "bare", args: [] },
  { name: "ours", title: "Seamless, volatile actor", folder: "ours", args: ["volatile"] },
  { name: "equal", title: "loop with equal headers and codec", folder: "equal", args: [] },
  { name: "effect-cluster", title: "Effect Cluster, sockets", folder: "cluster", args: [] },
  { name: "moleculer", title: "moleculer on NATS", folder: "moleculer", args: [] },
  { name: "ours-durable", title: "Seamless, a save each message", folder: "ours", args: ["durable"] }
]

/** What we want ours to reach beside another, in asks a second. */
export interface Target {
  readonly ours: string
  readonly other: string
  readonly ratioMin: number
}

/** Meant for as many asks in flight. */
export const targetInFlight = 256

/** The targets. */
export const targets: ReadonlyArray<Target> = [
  { ours: "ours", other: "bare", ratioMin: 0.6 },
  { ours: "ours", other: "equal", ratioMin: 0.8 },
  { ours: "ours", other: "effect-cluster", ratioMin: 3 }
]
