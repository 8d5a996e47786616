/** Which real objects serve the drawn requests? */
import type { CounterInput } from "./counterModel.ts"
import type { Draw, Served } from "./drawHistory.ts"
import type { GrowingSetInput, GrowingSetOutput } from "./growingSetModel.ts"
import type { RegisterInput, RegisterOutput } from "./registerModel.ts"

/** A register of a store whose revisions rise by more than one, as those of a stream do. */
export const servedRegister = () => {
  let value: string | null = null
  let revision = 0
  let writes = 0
  const seen = new Map<number, number>()
  const write = (next: string): RegisterOutput => {
    value = next
    revision += 1 + (next.length % 3)
    return { _tag: "written", revision }
  }
  const inputOf = ({ client, detail, kind }: Draw): RegisterInput => {
    const isUpToDate = detail < 60
    if (kind < 40) return { _tag: "get" }
    const next = `${writes++}`
    if (kind < 60) return { _tag: "put", value: next }
    return { _tag: "cas", value: next, expect: isUpToDate ? revision : (seen.get(client) ?? 0) }
  }
  const outputOf = (input: RegisterInput): RegisterOutput => {
    if (input._tag === "get") return { _tag: "found", value, revision }
    if (input._tag === "cas" && input.expect !== revision) return { _tag: "conflict" }
    return write(input.value)
  }
  return {
    lose: inputOf,
    serve: (draw: Draw): Served<RegisterInput, RegisterOutput> => {
      const input = inputOf(draw)
      const output = outputOf(input)
      if (draw.fate === "answered") seen.set(draw.client, revision)
      return { input, output }
    }
  }
}

/** A counter. */
export const servedCounter = () => {
  let value = 0
  const inputOf = ({ detail, kind }: Draw): CounterInput =>
    kind < 40 ? { _tag: "read" } : { _tag: "add", amount: 1 + (detail % 3) }
  return {
    lose: inputOf,
    serve: (draw: Draw): Served<CounterInput, number> => {
      const input = inputOf(draw)
      if (input._tag === "add") value += input.amount
      return { input, output: value }
    }
  }
}

/** So many different members are drawn. */
const members = 48

/** A set that only grows. */
export const servedSet = () => {
  const held = new Set<number>()
  let version = 0
  const inputOf = ({ detail, kind }: Draw): GrowingSetInput => {
    const first = detail % members
    return kind < 50 ? { _tag: "contains", member: first } : { _tag: "add", members: [first, (first + kind) % members] }
  }
  const outputOf = (input: GrowingSetInput): GrowingSetOutput => {
    if (input._tag === "contains") return { version, contains: held.has(input.member) }
    const before = held.size
    for (const member of input.members) held.add(member)
    if (held.size > before) version += 1
    return { version }
  }
  return {
    lose: inputOf,
    serve: (draw: Draw): Served<GrowingSetInput, GrowingSetOutput> => {
      const input = inputOf(draw)
      return { input, output: outputOf(input) }
    }
  }
}
