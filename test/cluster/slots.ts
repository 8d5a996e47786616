/** Which hosts and slots do the tests of placement and claims run on? */
import { Effect } from "effect"
import type { HostSession } from "../../cluster/HostSession.ts"
import type { SessionRecord } from "../../protocol/wire/HostRecords.ts"
import { manifest } from "../../protocol/wire/Manifest.ts"
import { slotName } from "../../protocol/wire/ActorSubject.ts"

/** A host of this version without a label, unless told otherwise. */
export const sessionOf = (incarnation: string, changes: Partial<SessionRecord> = {}): SessionRecord => ({
  incarnation,
  hostId: incarnation,
  configurationHash: "",
  protocolVersion: 2,
  startedAt: 0,
  ...changes
})

const unused = Effect.die("not asked of a session here")

/** A session of the host `me` that stands, and does what it is told beside; anything else breaks the test. */
export const sessionThat = (does: Partial<HostSession["Service"]> = {}): HostSession["Service"] => ({
  incarnation: "me",
  hostId: "me",
  labels: [],
  record: () => sessionOf("me"),
  isValidNow: () => true,
  isValid: Effect.succeed(true),
  stretch: () => 1,
  silentMs: () => 0,
  live: unused,
  isLive: () => unused,
  mayBury: unused,
  mayMove: unused,
  setDraining: unused,
  draining: unused,
  onRestored: () => unused,
  onAnnounced: () => unused,
  onSilence: () => unused,
  ...does
})

/** The names of all the slots of a label. */
export const slotsOf = (label: string): ReadonlyArray<string> =>
  Array.from({ length: manifest.slotCount }, (_, slot) => slotName(label, slot))
