/**
 * What can go wrong with one write, and does one know whether it took effect?
 *
 * The port of one process, where the next write can lose its answer, or be lost itself, or be the last thing that the
 * port hears before it goes silent for good measure.
 */
import * as fc from "fast-check"
import { Effect, Layer, Option } from "effect"
import { MeshUnavailable } from "../../../protocol/wire/Errors.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { makeFaultyMesh, once } from "../faultyMesh.ts"

/** What happens to the next write; a silence goes on until the operation has given up. */
export type Trouble = "none" | "answerLost" | "writeLost" | "silentAfter" | "silentBefore"

/** A trouble, in most cases none. */
export const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  { weight: 6, arbitrary: fc.constant("none" as const) },
  {
    weight: 4,
    arbitrary: fc.constantFrom<Array<Trouble>>("answerLost", "writeLost", "silentAfter", "silentBefore")
  }
)

/** Whether who writes gives up without knowing what became of it; a write that is refused is heard of, if it is sent. */
export const isSilent = (each: Trouble, isRefused = false): boolean =>
  each === "silentBefore" || (each === "silentAfter" && !isRefused)

/** Whether a write that is not refused takes effect. */
export const takesEffect = (each: Trouble): boolean => each !== "silentBefore"

const noTrouble = { each: "none", prefix: "" } as const

/** The port, and what makes trouble for whatever writes under a prefix of subjects. */
export const makeTroubledMesh = Effect.gen(function* () {
  const { faults, layer, mesh } = yield* makeFaultyMesh
  const listeners: Array<(subject: string) => Effect.Effect<void>> = []
  const queued = new Set<string>()
  let isDeaf = false
  let silentPrefix: string | undefined
  const begin = ({ each, prefix }: { readonly each: Trouble; readonly prefix: string }): void => {
    silentPrefix = undefined
    const silenced = (when: Trouble) => (subject: string) => {
      if (each !== when || !subject.startsWith(prefix)) return false
      silentPrefix = prefix
      return true
    }
    faults.losesAck = each === "answerLost" ? once(prefix) : silenced("silentAfter")
    faults.losesWrite = each === "writeLost" ? once(prefix) : silenced("silentBefore")
  }
  // others come in between, as they do where a write takes its time
  faults.before = () => Effect.yieldNow
  faults.after = (subject) => Effect.forEach(listeners, (listener) => listener(subject), { discard: true })
  const spoiled = Layer.effect(
    Mesh,
    Effect.map(Mesh, (inner) =>
      Mesh.of({
        ...inner,
        enqueue: (subject, data) =>
          Effect.tap(inner.enqueue(subject, data), () => Effect.sync(() => queued.add(subject))),
        dequeue: (stream, subject) =>
          Effect.tap(inner.dequeue(stream, subject), () => Effect.sync(() => queued.delete(subject))),
        subscribe: (subject, handler, options) =>
          inner.subscribe(subject, (message) => (isDeaf ? undefined : handler(message)), options),
        read: (stream, subject) =>
          silentPrefix !== undefined && subject.startsWith(silentPrefix)
            ? Effect.fail(new MeshUnavailable({ operation: `read ${subject}`, reason: "no answer" }))
            : inner.read(stream, subject)
      })
    )
  ).pipe(Layer.provide(layer))
  return {
    /** Without any trouble. */
    mesh,
    layer: spoiled,
    /** Subjects of the work that waits in the queue, as far as it was put there and taken away here. */
    queued,
    /** Whether what is published gets lost, from now on. */
    deafen: (deaf: boolean): void => {
      isDeaf = deaf
    },
    /** Does something in that trouble, which ends with it. */
    during:
      (each: Trouble, prefix: string) =>
      <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
        Effect.suspend(() => {
          begin({ each, prefix })
          return effect
        }).pipe(Effect.ensuring(Effect.sync(() => begin(noTrouble)))),
    /** Hears of every value that is stored under a prefix of a stream's subjects, answered or not. */
    onStored: (stream: string, prefix: string, listener: (value: Uint8Array) => void): void => {
      listeners.push((subject) =>
        Effect.gen(function* () {
          if (!subject.startsWith(prefix)) return
          const stored = yield* Effect.orDie(mesh.read(stream, subject))
          Option.map(
            Option.flatMap(stored, ({ value }) => value),
            listener
          )
        })
      )
    }
  }
})
