/**
 * How does a test spoil the port to NATS?
 *
 * The port of one process, with writes that are counted, held back, or lose their acknowledgement, and reads that are
 * held back or fail.
 */
import { Effect, Layer } from "effect"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import { Mesh, type MeshShape } from "../../runtime/Mesh.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"

/** What is done to writes and reads, from now on. */
interface Faults {
  /** Subjects written so far, in order. */
  readonly written: Array<string>
  /** Waited for before a write takes effect. */
  before: (subject: string) => Effect.Effect<void>
  /** Waited for when a write has taken effect, before that is told. */
  after: (subject: string) => Effect.Effect<void>
  /** Whether a write that took effect is not acknowledged; asked at each. */
  losesAck: (subject: string) => boolean
  /** Whether a write has no effect and no answer; asked at each. */
  losesWrite: (subject: string) => boolean
  /** Waited for before records of a stream are read. */
  reading: (stream: string) => Effect.Effect<void, MeshUnavailable>
}

/** What nobody answers. */
export const away = (operation: string) => Effect.fail(new MeshUnavailable({ operation, reason: "no answer" }))

const spoiled = (mesh: MeshShape, faults: Faults): MeshShape => ({
  ...mesh,
  read: (stream, subject) => Effect.andThen(faults.reading(stream), mesh.read(stream, subject)),
  readMany: (stream, subjects) => Effect.andThen(faults.reading(stream), mesh.readMany(stream, subjects)),
  write: (subject, data, options) =>
    Effect.gen(function* () {
      yield* faults.before(subject)
      if (faults.losesWrite(subject)) return yield* away(`write ${subject}`)
      const revision = yield* mesh.write(subject, data, options)
      faults.written.push(subject)
      yield* faults.after(subject)
      return faults.losesAck(subject) ? yield* away(`write ${subject}`) : revision
    })
})

/** A port without faults so far, and the hand that brings them. */
export const makeFaultyMesh = Effect.gen(function* () {
  const faults: Faults = {
    written: [],
    before: () => Effect.void,
    after: () => Effect.void,
    losesAck: () => false,
    losesWrite: () => false,
    reading: () => Effect.void
  }
  const mesh = yield* Effect.provide(Effect.service(Mesh), MemoryMesh.layer)
  return { faults, mesh, layer: Layer.succeed(Mesh, Mesh.of(spoiled(mesh, faults))) }
})

/** True the first time that it is asked about such a subject. */
export const once = (prefix: string): ((subject: string) => boolean) => {
  let left = 1
  return (subject) => subject.startsWith(prefix) && left-- > 0
}
