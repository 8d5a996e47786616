/** Which hosts and slots do the tests of placement and claims run on? */
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

/** The names of all the slots of a label. */
export const slotsOf = (label: string): ReadonlyArray<string> =>
  Array.from({ length: manifest.slotCount }, (_, slot) => slotName(label, slot))
