/** What did a rule find, and where? */
import { lineAt, type SourceFile } from "./SourceFile.ts"

/** One break of one rule. */
export interface Finding {
  readonly file: string
  readonly line: number
  /** How large it is: lines, columns, parameters; 1 where the rule counts its findings. */
  readonly size: number
  readonly message: string
}

/** A finding at a node of a file. */
export const at = (file: SourceFile, node: { readonly start: number }, message: string, size = 1): Finding => ({
  file: file.path,
  line: lineAt(file, node.start),
  size,
  message
})

/** A finding as one line that a person can follow. */
export const show = (finding: Finding): string => `${finding.file}:${finding.line} ${finding.message}`
