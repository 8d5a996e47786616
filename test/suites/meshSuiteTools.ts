/** What do the claims about the port to NATS have in common? */
import { assert } from "@effect/vitest"
import { Clock, Effect, Option, type Scope } from "effect"
import { isDeepStrictEqual } from "node:util"
import type * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import { Mesh, type MeshShape, type Stored } from "../../runtime/Mesh.ts"
import { untilTrue } from "../support/untilTrue.ts"

/** Declares one claim. */
export type Claim = (title: string, run: () => Effect.Effect<void, unknown, Mesh | Scope.Scope>) => void

/** What a test does to the connection of a port, and beside it. */
export interface MeshVerbs {
  /** Loses the connection: the server and the port know soon. */
  readonly lose: Effect.Effect<void>
  /** Lets the connection be made again. */
  readonly back: Effect.Effect<void>
  /** Kills the server, and starts it again upon what it has stored. */
  readonly restart: Effect.Effect<void>
  /** A port of another client, whose connection stands. */
  readonly other: Effect.Effect<MeshShape, unknown, Scope.Scope>
}

/** A text as bytes. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Bytes as a text. */
export const textOf = (data: Uint8Array): string => new TextDecoder().decode(data)

/** What a record says. */
export const told = (stored: Option.Option<Stored>): string =>
  Option.match(stored, {
    onNone: () => "absent",
    onSome: ({ value }) => Option.match(value, { onNone: () => "ended", onSome: textOf })
  })

let claims = 0

/** A name that no other claim has. */
export const fresh = (): string => `claim-${++claims}`

/** The revision of a record that is there. */
export const revisionOf = (stored: Option.Option<Stored>): number => Option.getOrThrow(stored).revision

/** One key of a bucket. */
export const recordAt = Effect.fnUntraced(function* (bucket: typeof Stream.actors, key = fresh()) {
  const mesh = yield* Mesh
  const subject = keySubject(bucket, key)
  return {
    key,
    subject,
    write: (text: string, options?: Parameters<MeshShape["write"]>[2]) => mesh.write(subject, bytes(text), options),
    read: mesh.read(bucket.name, subject)
  }
})

/** What a subscription has got so far, and how to wait for so many. */
export const inboxOn = Effect.fnUntraced(function* (subject: string, group?: string) {
  const mesh = yield* Mesh
  const got: Array<string> = []
  yield* mesh.subscribe(subject, ({ data }) => void got.push(textOf(data)), group === undefined ? {} : { group })
  return {
    got,
    until: (count: number) =>
      untilTrue(
        `${count} came`,
        Effect.sync(() => got.length >= count)
      )
  }
})

/** Looks until that is what is seen; what an old answer shows is looked at again. */
export const eventually = <A, E, R>(look: Effect.Effect<A, E, R>, expected: A): Effect.Effect<void, E, R> =>
  Effect.gen(function* () {
    let seen = yield* look
    const isSeen = Effect.map(look, (now) => {
      seen = now
      return isDeepStrictEqual(seen, expected)
    })
    if (!isDeepStrictEqual(seen, expected)) yield* Effect.exit(untilTrue("what is expected is seen", isSeen, 5000))
    assert.deepStrictEqual(seen, expected)
  })

/** How long something took, in milliseconds. */
export const timed = <A, E, R>(run: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const before = yield* Clock.currentTimeMillis
    const value = yield* run
    return { value, tookMs: (yield* Clock.currentTimeMillis) - before }
  })
