/** Does every file and folder have a true name? */

const vague = /^(utils?|common|helpers?|types|managers?)$/i

/** One claim about paths (a folder's path ends in `/`): the paths that break it, with the reason. */
export type CheckPaths = (paths: ReadonlyArray<string>) => ReadonlyArray<string>

const lastPart = (path: string): string => path.replace(/\/$/, "").split("/").at(-1)!

/** Folders are lowercase. */
export const checkFolderNames: CheckPaths = (paths) =>
  paths
    .filter((path) => path.endsWith("/") && /[A-Z]/.test(lastPart(path)))
    .map((path) => `${path} is a folder with a capital: folders are lowercase`)

/** Files are named for a noun, Capitalised, or a verb, camelCase. */
export const checkFileNames: CheckPaths = (paths) =>
  paths
    .filter((path) => /\.[cm]?tsx?$/.test(path) && !/^[A-Za-z][A-Za-z0-9]*(\.(test|config))?\.ts$/.test(lastPart(path)))
    .map((path) => `${path}: a file is a Noun.ts or a verbNoun.ts`)

/** Nothing is named for a drawer that takes everything. */
export const checkVagueNames: CheckPaths = (paths) =>
  paths
    .filter((path) => vague.test(lastPart(path).split(".")[0]!))
    .map((path) => `${path} takes everything: name it for its one subject`)
