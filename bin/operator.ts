/**
 * As whom does an operator ask?
 *
 * As a token in the subject of the question: servers that keep operators apart let each publish under one alone.
 */
import { Option } from "effect"
import { Flag } from "effect/cli"
import { userInfo } from "node:os"
import * as Token from "../protocol/wire/Token.ts"
import type { AddressFlags } from "./findAddress.ts"
import { addressFlags, type Format, formatFlag } from "./flags.ts"

/** What every operator's command is told. */
export interface OperatorFlags extends AddressFlags {
  readonly operator: Option.Option<string>
  readonly format: Format
}

/** The flags of every operator's command. */
export const operatorFlags = {
  operator: Flag.String("as").pipe(
    Flag.filter(
      (name) => name !== "",
      () => "a name"
    ),
    Flag.withMetavar("NAME"),
    Flag.withDescription("Who asks; else SEAMLESS_OPERATOR, else the name of the user of this machine"),
    Flag.optional
  ),
  format: formatFlag,
  ...addressFlags
}

const userName = Option.liftThrowable(() => userInfo().username)

// a user that has no name on this machine, as in some containers
const nobody = "unknown"

/** The operator's token: by flag, else by environment, else by the user of this machine. */
export const operatorToken = (flag: Option.Option<string>): string => {
  const set = process.env["SEAMLESS_OPERATOR"] ?? ""
  const name = Option.getOrElse(flag, () => (set === "" ? Option.getOrElse(userName(), () => nobody) : set))
  return Token.encode(name)
}
