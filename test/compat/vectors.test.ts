/**
 * Does the present code still read what version 1 wrote, and is the member made of it true to it?
 *
 * The vectors were recorded from hosts of version 1; see v1/README.md.
 */
import { Option, Schema } from "effect"
import { describe, expect, it } from "vitest"
import * as Codec from "../../protocol/wire/Codec.ts"
import { Envelope, ReplyEnvelope } from "../../protocol/wire/Envelope.ts"
import { SessionRecord, SlotValue } from "../../protocol/wire/HostRecords.ts"
import { manifest } from "../../protocol/wire/Manifest.ts"
import { StateRecord } from "../../protocol/wire/StateRecord.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as forms from "./v1Forms.ts"
import { desiredOwner, slotOf } from "./v1Placement.ts"
import { slotSubject } from "./V1Slots.ts"

const { asks, coverageState, placement, refusals, session, slots, streams } = forms.vectors

const bytesOf = ({ base64 }: { readonly base64: string }): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"))

const slotRecords = {
  firstClaimed: slots.firstClaimed,
  takenOver: slots.takenOver,
  takenOverAgain: slots.takenOverAgain,
  givenBack: slots.givenBack,
  claimedAfterGivenBack: slots.claimedAfterGivenBack
}
const sessionRecords = { created: session.created, renewed: session.renewed }
const exchanges = { ...asks, ...refusals }
const names = <A extends object>(of: A) => Object.keys(of) as Array<keyof A & string>

describe("what version 1 stored", () => {
  it.each(names(sessionRecords))("SessionRecord reads a session as it was %s", (name) => {
    const decoded = Option.flatMap(
      Codec.fromJson(bytesOf(sessionRecords[name])),
      Schema.decodeUnknownOption(SessionRecord)
    )
    expect(decoded).toEqual(Option.some(sessionRecords[name].value))
  })
  it.each(names(slotRecords))("SlotValue reads a slot as it was %s", (name) => {
    const decoded = Option.flatMap(Codec.fromJson(bytesOf(slotRecords[name])), Schema.decodeUnknownOption(SlotValue))
    expect(decoded).toEqual(Option.some(slotRecords[name].value))
  })
  it.each(names(coverageState))("StateRecord reads the state of a coverage actor as it was %s", (name) => {
    const decoded = Option.flatMap(
      Codec.fromJson(bytesOf(coverageState[name])),
      Schema.decodeUnknownOption(StateRecord)
    )
    expect(decoded).toEqual(Option.some(coverageState[name].value))
  })
  it("manifest has the text that version 1 compares it with", () => {
    expect(Buffer.from(Codec.toJson(manifest)).toString("base64")).toBe(forms.vectors.manifest.base64)
  })
  it("keySubject() finds the records where version 1 put them", () => {
    expect(keySubject(Stream.sessions, session.created.value.incarnation)).toBe(session.created.subject)
    expect(keySubject(Stream.slots, "0")).toBe(slots.firstClaimed.subject)
    expect(keySubject(Stream.cluster, "manifest")).toBe(forms.vectors.manifest.subject)
  })
  it("every names all streams that version 1 set up", () => {
    const present = Stream.every.map(({ name, subjects }) => ({ name, subjects: [subjects] }))
    for (const { value } of streams.streams)
      expect(present).toContainEqual({ name: value["name"], subjects: value["subjects"] })
  })
})

describe("what version 1 sent", () => {
  it.each(names(exchanges))("Envelope reads the request of %s", (name) => {
    const { request } = exchanges[name]
    const decoded = Option.flatMap(Codec.unpack(bytesOf(request)), Schema.decodeUnknownOption(Envelope))
    expect(decoded).toEqual(Option.some(request.value))
  })
  it.each(names(exchanges))("ReplyEnvelope reads the reply of %s", (name) => {
    const { reply } = exchanges[name]
    const decoded = Option.flatMap(Codec.unpack(bytesOf(reply)), Schema.decodeUnknownOption(ReplyEnvelope))
    const encoded = Option.map(decoded, Schema.encodeSync(ReplyEnvelope))
    expect(encoded).toEqual(Option.some(reply.value))
  })
})

describe("the member that is made of it", () => {
  it.each(names(exchanges))("pack() makes the very bytes of %s", (name) => {
    for (const { base64, value } of [exchanges[name].request, exchanges[name].reply]) {
      expect(forms.unpack(bytesOf({ base64 }))).toEqual(value)
      expect(Buffer.from(forms.pack(value)).toString("base64")).toBe(base64)
    }
  })
  it("toJson() makes the very bytes of each record", () => {
    const records = [sessionRecords, slotRecords, coverageState].flatMap((of) =>
      Object.values<forms.Recorded<object>>(of)
    )
    for (const { base64, value } of records) expect(Buffer.from(forms.toJson(value)).toString("base64")).toBe(base64)
  })
  it("slotOf() puts actors where version 1 did", () => {
    for (const { slot, ...address } of placement.addresses) expect(slotOf(address)).toBe(slot)
    const { subject, value } = asks.ensure.request
    expect(slotSubject(slotOf(value.to))).toBe(subject)
  })
  it("desiredOwner() divides slots as two hosts of version 1 did", () => {
    const hosts = Object.keys(slots.split)
    expect(Object.values(slots.split).flat()).toHaveLength(256)
    for (const [host, held] of Object.entries(slots.split))
      for (const slot of held) expect(desiredOwner(slot, hosts)).toBe(host)
  })
  it("isEnvelope() passes over fields that version 1 had no word for, and misses those that it knew", () => {
    const { value } = asks.ensure.request
    expect(forms.isEnvelope({ ...value, ageMs: 20, to: { ...value.to, label: "strategies" } })).toBe(true)
    for (const name of names(value)) {
      const { [name]: _, ...others } = value
      expect(forms.isEnvelope(others), name).toBe(false)
    }
    expect(forms.isEnvelope({ ...value, format: 2 })).toBe(false)
  })
  it("isReply() misses the word for a refusal that version 1 did not have", () => {
    const { value } = refusals.actorUnavailable.reply
    expect(forms.isReply({ ...value, accepted: "someone" })).toBe(true)
    expect(forms.isReply({ ...value, undelivered: { ...value.undelivered, _tag: "ActorStopped" } })).toBe(false)
  })
  it("isSessionRecord() passes over what later versions announce", () => {
    expect(forms.isSessionRecord({ ...session.created.value, protocolVersion: 2, labels: ["strategies"] })).toBe(true)
  })
})
