/**
 * Which room may open which?
 *
 * This is the doors table as data. A room is a top-level folder or one level below it; files of one room open each
 * other freely. The linter holds the same doors, and says so while you type.
 */

/** One row: a room and the rooms it may open besides itself. */
export interface Room {
  readonly name: string
  readonly opens: ReadonlyArray<string>
}

const protocol = ["protocol", "protocol/wire", "protocol/frame", "protocol/history", "protocol/messages"]

const product = [...protocol, "runtime", "cluster", "actors/conformance", "actors/sources", "actors/*", "client", "bin"]

/** The doors table; `actors/*` is the row of each actor, and `protocol` that of the files at protocol's root. */
export const rooms: ReadonlyArray<Room> = [
  { name: "protocol", opens: ["protocol/frame", "protocol/history"] },
  { name: "protocol/wire", opens: [] },
  { name: "protocol/frame", opens: [] },
  { name: "protocol/history", opens: ["protocol/frame"] },
  { name: "runtime", opens: ["protocol", "protocol/wire"] },
  { name: "protocol/messages", opens: ["protocol", "protocol/wire", "protocol/frame", "protocol/history"] },
  { name: "cluster", opens: ["runtime", "protocol", "protocol/wire"] },
  { name: "actors/conformance", opens: ["protocol/frame", "protocol/history"] },
  { name: "actors/sources", opens: ["actors/conformance", "runtime", ...protocol] },
  { name: "actors/*", opens: ["actors/conformance", "actors/sources", "runtime", ...protocol] },
  { name: "client", opens: ["runtime", ...protocol] },
  { name: "bin", opens: product.filter((name) => name !== "bin") },
  { name: "scripts", opens: [] },
  // tests run everything, the examples and the benches too
  { name: "test", opens: [...product, "scripts", "bench", "examples"] },
  { name: "bench", opens: [...product, "scripts"] },
  { name: "examples", opens: [] }
]

/** The public entry points by hand: the only barrels, for outsiders only. */
export const barrels: ReadonlyArray<string> = [
  "protocol/index.ts",
  "runtime/index.ts",
  "cluster/index.ts",
  "client/index.ts",
  "test/index.ts"
]

/** Rooms that stand outside and so may use the package by its own name. */
export const outsiders: ReadonlyArray<string> = ["test", "bench", "examples"]

/** The row of a room: an actor's own name becomes `actors/*`. Undefined when the table has no such row. */
export const rowOf = (room: string): Room | undefined =>
  rooms.find(({ name }) => name === room) ??
  (room.startsWith("actors/") ? rooms.find(({ name }) => name === "actors/*") : undefined)

/** The room a file is in, an actor by its own name; undefined when the layout has no place for it. */
export const roomOf = (path: string): string | undefined => {
  const [top = "", folder = "", ...below] = path.split("/")
  const inFolder = below.length > 0
  const room = top === "actors" || (top === "protocol" && inFolder) ? `${top}/${folder}` : top
  if (top === "actors" && !inFolder) return undefined
  return folder === "" ? undefined : rowOf(room) && room
}

/** Whether a file may open another, by the table. Both are in a room; a barrel of protocol sees all of protocol. */
export const mayOpen = (from: string, to: string): boolean => {
  const [fromRoom, toRoom] = [roomOf(from), roomOf(to)]
  if (fromRoom === undefined || toRoom === undefined) return false
  // an example is whole in its own folder
  if (fromRoom === toRoom) return fromRoom !== "examples" || to.startsWith(from.slice(0, from.lastIndexOf("/") + 1))
  if (from === "protocol/index.ts" && toRoom.startsWith("protocol/")) return true
  return rowOf(fromRoom)!.opens.includes(rowOf(toRoom)!.name)
}
