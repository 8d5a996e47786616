/** What is wrong in a configuration, and where? */

/** One mistake: where it is, as `series[0].intervals[1]` or `line 3, column 5`, and what is wrong there. */
export interface Mistake {
  /** Empty where it is about the file as a whole. */
  readonly path: string
  readonly problem: string
}
