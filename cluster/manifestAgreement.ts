/** Do this build and the cluster's data agree on what can't differ? */
import { Effect, Option } from "effect"
import * as Codec from "../protocol/wire/Codec.ts"
import { ClusterDisagreement } from "../protocol/wire/Errors.ts"
import { manifest, manifestKey } from "../protocol/wire/Manifest.ts"
import * as Stream from "../protocol/wire/Stream.ts"
import { keySubject } from "../protocol/wire/StreamSpec.ts"
import { Mesh } from "../runtime/Mesh.ts"

/** Writes the manifest where there is none; fails where there is another. */
export const agreeOnManifest = Effect.gen(function* () {
  const mesh = yield* Mesh
  const subject = keySubject(Stream.cluster, manifestKey)
  yield* Effect.catchTag(
    mesh.write(subject, Codec.toJson(manifest), { expect: 0 }),
    "RevisionConflict",
    () => Effect.void
  )
  const stored = yield* mesh.read(Stream.cluster.name, subject)
  const ours = JSON.stringify(manifest)
  const theirs = Option.match(
    Option.flatMap(
      Option.flatMap(stored, ({ value }) => value),
      Codec.fromJson
    ),
    {
      onNone: () => "unreadable",
      onSome: (value) => JSON.stringify(value)
    }
  )
  if (theirs !== ours) return yield* new ClusterDisagreement({ about: "manifest", ours, theirs })
})
