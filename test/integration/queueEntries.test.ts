/** Does work that a dead worker had taken come again, whatever else is taken out of the queue meanwhile? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Option, Scope } from "effect"
import * as QueueSubject from "../../protocol/wire/QueueSubject.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import * as NatsMesh from "../../runtime/nats/NatsMesh.ts"
import * as NatsServer from "../support/NatsServer.ts"

const jobClass = "interactive"
const entries = Array.from({ length: 100 }, (_, index) => `a.1m.${index}`)
const takenBefore = 60
/** What the first worker had ended before it went. */
const ended = entries.slice(0, 20)

// what was taken comes again after four seconds, and what is given back after one
const withinMs = 15_000

const news = "-new"
const isNew = (entry: string): boolean => entry.endsWith(news)

const subjectOf = (windowKey: string): string => QueueSubject.queuedJob({ jobClass, partition: 0, windowKey })

/** A port of its own, and what ends it. */
const connect = Effect.fnUntraced(function* (servers: string) {
  const scope = yield* Scope.make()
  const context = yield* Layer.buildWithScope(NatsMesh.layer({ servers, name: "worker" }), scope)
  return { mesh: yield* Effect.provide(Mesh, context), scope }
})

describe("the queue on a real server", () => {
  it.live("gives every entry to somebody, though those before were taken by one who is gone", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer.start()
      const first = yield* connect(server.url)
      yield* first.mesh.provision([Stream.queue])
      yield* Effect.forEach(entries, (entry) => first.mesh.enqueue(subjectOf(entry), new Uint8Array(0)))
      for (let taken = 0; taken < takenBefore; taken++) {
        const delivery = Option.getOrThrow(yield* first.mesh.take(Stream.queue.name, jobClass))
        if (taken % 3 === 0) yield* delivery.later
      }
      yield* Effect.forEach(ended, (entry) => first.mesh.dequeue(Stream.queue.name, subjectOf(entry)))
      yield* Scope.close(first.scope, Exit.void)

      const { mesh } = yield* connect(server.url)
      const begunAt = performance.now()
      const seen = new Set<string>()
      const triedOnce = new Set<string>()
      const wanted = 2 * (entries.length - ended.length)
      while (seen.size < wanted && performance.now() - begunAt < withinMs) {
        const delivery = yield* mesh.take(Stream.queue.name, jobClass)
        if (Option.isNone(delivery)) continue
        const entry = QueueSubject.queuedWindow(delivery.value.subject)
        // the lease of the one who is gone may not be over yet
        if (!isNew(entry) && !triedOnce.has(entry)) {
          triedOnce.add(entry)
          yield* delivery.value.later
          continue
        }
        seen.add(entry)
        yield* mesh.dequeue(Stream.queue.name, delivery.value.subject)
        // work goes on: what is new comes behind all of that
        if (!isNew(entry)) yield* mesh.enqueue(subjectOf(`${entry}${news}`), new Uint8Array(0))
      }
      assert.deepStrictEqual(
        entries.filter((entry) => !seen.has(entry)),
        ended
      )
    }).pipe(Effect.scoped)
  )
})
