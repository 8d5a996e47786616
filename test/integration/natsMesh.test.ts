/** Does the port to NATS keep its promises on a real server? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import * as NatsMesh from "../../runtime/nats/NatsMesh.ts"
import * as NatsServer from "../support/NatsServer.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

const keys = Array.from({ length: 3000 }, (_, index) => `many.${index}`)

describe("readMany()", () => {
  it.live("readMany() gives the last message of each subject, however many a wildcard matches", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer.start()
      yield* Effect.gen(function* () {
        const mesh = yield* Mesh
        yield* mesh.provision([Stream.actors])
        const write = (key: string, text: string) => mesh.write(keySubject(Stream.actors, key), bytes(text))
        const all = { concurrency: 256, discard: true } as const
        yield* Effect.forEach(keys, (key) => write(key, `old ${key}`), all)
        // every third anew: what is read in the order of its messages comes in another order than that of its keys
        const rewritten = keys.filter((_, index) => index % 3 === 0)
        yield* Effect.forEach(rewritten, (key) => write(key, `new ${key}`), all)
        yield* Effect.forEach(["few.1", "few.2"], (key) => write(key, key), all)
        yield* mesh.write(keySubject(Stream.actors, "many.1"), bytes(""), { remove: true })

        const textsOf = (subjects: ReadonlyArray<string>) =>
          Effect.map(
            mesh.readMany(
              Stream.actors.name,
              subjects.map((subject) => keySubject(Stream.actors, subject))
            ),
            (found) =>
              new Map(
                found.map(({ subject, value }) => [
                  subject.slice(keySubject(Stream.actors, "").length),
                  Option.match(value, { onNone: () => "gone", onSome: (data) => new TextDecoder().decode(data) })
                ])
              )
          )
        const expected = new Map(
          keys.map((key, index) => [key, index === 1 ? "gone" : `${index % 3 === 0 ? "new" : "old"} ${key}`])
        )
        assert.deepStrictEqual(yield* textsOf(["many.>"]), expected)

        const mixed = yield* textsOf(["many.*", "few.2", "none.>", "none.1"])
        assert.strictEqual(mixed.size, 3001)
        assert.strictEqual(mixed.get("few.2"), "few.2")
        assert.deepStrictEqual(new Set((yield* textsOf(["few.>"])).keys()), new Set(["few.1", "few.2"]))
        assert.strictEqual((yield* textsOf(keys)).size, 3000)
      }).pipe(Effect.provide(NatsMesh.layer({ servers: server.url, name: "reader" })))
    })
  )
})
