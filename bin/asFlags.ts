/** What has to be said on a command line, where a problem names settings of a configuration? Pure. */

/** What a problem says of settings, as the command line has them. */
export const asFlags = (problem: string): string =>
  problem
    .replaceAll(/name it under columns as (\w+)/g, "say --column $1=ITS_NAME")
    .replaceAll(/say which under columns/g, "say --column OURS=THEIRS")
    .replaceAll(/say without: \[(\w+)\]/g, "say --without $1")
    .replaceAll(/\bdecimal: "(.)"/g, "--decimal $1")
    .replaceAll(/: say which by format\b/g, ": rename it, so that it ends with .csv or .parquet")
    .replaceAll(/columns\.(\w+) names/g, "--column $1 names")
    .replaceAll(/, by header\b/g, ", by --header")
    .replaceAll(/\btimeUnit: (\w+)/g, "--time-unit $1")
    .replaceAll(/\btimeUnit\b/g, "--time-unit")
    .replaceAll(/\btimeFormat: ("[^"]*")/g, "--time-format $1")
    .replaceAll(/\btimeFormat\b/g, "--time-format")
    .replaceAll(/\bsay interval: (\w+)/g, "say --interval $1")
