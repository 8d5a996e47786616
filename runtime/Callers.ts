/**
 * Whose request is it?
 *
 * A caller is who says so, or else a connection: client libraries have one inbox for each, of which the first two
 * tokens of a reply subject are the name. It keeps callers from each other's way, and is no defence: names are free.
 */
import { Header } from "../protocol/wire/Header.ts"
import { limits } from "../protocol/wire/Limits.ts"
import type { Message } from "./Mesh.ts"

/** What a caller is called. */
export const callerOf = ({ headers, replyTo }: Pick<Message, "headers" | "replyTo">): string => {
  const name = headers.get(Header.caller)?.trim().slice(0, limits.nameLength) ?? ""
  return name === "" ? replyTo.split(".", 2).join(".") : name
}
