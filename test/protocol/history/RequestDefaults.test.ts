/** Is each option decided by the most specific word on it, whatever is said of the others? */
import { Schema } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { HistoryRequest } from "../../../protocol/history/HistoryRequest.ts"
import { decide, type Options, ReadDefaults, type Said, service } from "../../../protocol/history/RequestDefaults.ts"
import * as SlaPolicy from "../../../protocol/history/SlaPolicy.ts"
import { Strategy } from "../../../protocol/history/Strategy.ts"
import { law } from "../../support/law.ts"

const strategy = fc.constantFrom(...Strategy.literals)
const ms = fc.nat(10_000)

const policy: fc.Arbitrary<SlaPolicy.SlaPolicy> = fc.record(
  {
    maxWaitStorageMs: ms,
    maxWaitBackfillMs: ms,
    totalDeadlineMs: ms,
    maxSyncGapBars: ms,
    maxLagMs: ms,
    onViolation: fc.constantFrom("error", "partial")
  },
  { requiredKeys: [] }
)

/** A value of each option that environment and request say alike. */
const values = {
  strategy,
  strict: fc.boolean(),
  onStrictViolation: fc.constantFrom("error", "flag"),
  sourcePriority: fc.subarray(["a", "b", "c"]),
  align: fc.constantFrom("exact", "expand"),
  consistency: fc.constantFrom("eventual", "strict"),
  fill: fc.constantFrom("none", "forward"),
  returnMeta: fc.boolean(),
  asOf: fc.record({ time: ms })
} as const

const said: fc.Arbitrary<Said> = fc.record({ ...values, sla: policy }, { requiredKeys: [] })
const environment: fc.Arbitrary<ReadDefaults> = fc.record(
  { ...values, sla: policy, slaByStrategy: fc.dictionary(strategy, policy) },
  { requiredKeys: [] }
)
const verb = fc.constantFrom("read" as const, "ensure" as const)

const names = Object.keys(service.read) as ReadonlyArray<Exclude<keyof Options, "sla">>

describe("decide()", () => {
  it("is tested with every option of a request, but those that are each request's own", () => {
    const own = ["nodeId", "interval", "start", "end", "minVersion", "requestId"]
    const asked = Object.keys(HistoryRequest.fields).filter((name) => !own.includes(name))
    expect([...names, "sla"].toSorted()).toEqual(asked.toSorted())
    expect(Object.keys(values).toSorted()).toEqual(names.toSorted())
    const settable = Object.keys(ReadDefaults.fields).filter((name) => name !== "slaByStrategy")
    expect(settable.toSorted()).toEqual(asked.toSorted())
  })

  for (const name of names) {
    law(
      `decide() takes ${name} from the request, else from the environment, else from the service`,
      [verb, environment, said],
      (verb, environment, said) =>
        expect(decide(verb, environment, said)[name]).toEqual(said[name] ?? environment[name] ?? service[verb][name])
    )
    law(
      `decide() decides every other option the same whatever is said of ${name}`,
      [verb, environment, said, fc.record({ value: values[name] })],
      (verb, environment, said, { value }) => {
        const other = { [name]: value }
        // the policy has defaults of its own for each strategy
        const { [name]: _one, sla: _sla, ...rest } = decide(verb, environment, said)
        expect(decide(verb, environment, { ...said, ...other })).toMatchObject(rest)
        expect(decide(verb, { ...environment, ...other }, said)).toMatchObject(rest)
      }
    )
  }

  law(
    "decide() has each field of the policy from the request, else from the environment of the strategy, else from its own",
    [verb, environment, said],
    (verb, environment, said) => {
      const { sla, strategy } = decide(verb, environment, said)
      const layers = [environment.sla, environment.slaByStrategy?.[strategy], said.sla]
      expect(sla).toEqual(SlaPolicy.resolve(strategy, ...layers))
      for (const field of ["maxSyncGapBars", "maxLagMs", "onViolation", "totalDeadlineMs"] as const) {
        const word = layers.toReversed().find((layer) => layer?.[field] !== undefined)
        expect(sla[field]).toBe((word ?? SlaPolicy.defaults[strategy])[field])
      }
    }
  )

  law("a null for a point of the past is what stands", [verb, environment], (verb, environment) =>
    expect(decide(verb, environment, { asOf: null }).asOf).toBeNull()
  )

  it("takes a strategy in upper case", () =>
    expect(decide("read", { strategy: "fail_fast" }, { strategy: "PARTIAL_FILL" }).strategy).toBe("partial_fill"))

  it("has defaults that a request could say itself", () => {
    const range = { nodeId: "a", interval: "1m", start: 0, end: 60_000 }
    for (const verb of ["read", "ensure"] as const) {
      expect(Schema.is(HistoryRequest)({ ...range, ...decide(verb, {}, {}) })).toBe(true)
    }
  })
})
