/** Do the pages for readers of the code name what there is, and is there what they name? */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "vitest"
import { listPaths, repositoryRoot } from "../support/source/SourceFile.ts"

const textOf = (path: string): string => readFileSync(`${repositoryRoot}${path}`, "utf8")
const namesIn = (folder: string): ReadonlyArray<string> => readdirSync(`${repositoryRoot}docs/${folder}`)

const page = textOf("docs/ARCHITECTURE.md")
const codeMap = page.slice(page.indexOf("\n### protocol\n"), page.indexOf("\n## The walk of one read\n"))
const rooms = ["protocol", "runtime", "cluster", "actors", "client", "bin"]

/** What a room's part of the code map has between backticks, without `/` at its end. */
const toldOf = (room: string): ReadonlyArray<string> => {
  const from = codeMap.indexOf(`\n### ${room}\n`)
  const to = codeMap.indexOf("\n### ", from + 1)
  const part = codeMap.slice(from, to < 0 ? undefined : to)
  return Array.from(part.matchAll(/`([^`]+)`/g), ([, name = ""]) => name.replace(/\/$/, ""))
}

/** Names by which a path may be told of: with and without the folders above it, and without its ending. */
const namesOf = (path: string): ReadonlyArray<string> => {
  const steps = path.replace(/\.ts$|\/$/, "").split("/")
  return steps.map((_, index) => steps.slice(index).join("/"))
}

describe("docs/ARCHITECTURE.md", () => {
  const everywhere = new Set(rooms.flatMap((room) => listPaths(room).flatMap(namesOf)))

  it.each(rooms)("the code map of %s names nothing that is not there", (room) => {
    assert.deepStrictEqual(
      toldOf(room).filter((name) => !everywhere.has(name) && name !== room),
      []
    )
  })

  it.each(rooms)("the code map of %s names each of its folders", (room) => {
    const told = new Set(toldOf(room).flatMap((name) => name.split("/")))
    const folders = readdirSync(`${repositoryRoot}${room}`, { withFileTypes: true })
    assert.deepStrictEqual(
      folders.filter((entry) => entry.isDirectory() && !told.has(entry.name)).map(({ name }) => name),
      []
    )
  })
})

describe("docs/README.md", () => {
  it("links each guide by its title", () => {
    const links = Array.from(
      textOf("docs/README.md").matchAll(/\[([^\]]+)\]\(guides\/(.+?)\)/g),
      ([, title, name]) => ({
        title,
        name
      })
    )
    const guides = namesIn("guides").map((name) => ({
      title: /^# (.+)$/m.exec(textOf(`docs/guides/${name}`))?.[1],
      name
    }))
    assert.sameDeepMembers(links, guides)
  })
})

describe("docs/decisions", () => {
  it("numbers each decision once, as its title does", () => {
    const names = namesIn("decisions")
    assert.lengthOf(new Set(names.map((name) => name.slice(0, 4))), names.length)
    for (const name of names) assert.include(textOf(`docs/decisions/${name}`), `# ${name.slice(0, 4)}: `)
  })
})

describe("docs/GLOSSARY.md", () => {
  it("has each word in one row", () => {
    const words = textOf("docs/GLOSSARY.md")
      .split("\n")
      .filter((line) => line.startsWith("| ") && !line.startsWith("| Word ") && !line.startsWith("| ---"))
      .map((line) => line.split("|")[1]?.trim())
    assert.deepStrictEqual(
      words.filter((word, index) => words.indexOf(word) !== index),
      []
    )
  })
})

describe("docs", () => {
  const pages = [...listPaths("docs"), "README.md", "CHANGELOG.md"].filter((path) => path.endsWith(".md"))

  it.each(pages)("%s links to files that are there", (path) => {
    const folder = path.slice(0, path.lastIndexOf("/") + 1)
    const targets = Array.from(textOf(path).matchAll(/\]\((?!https?:)([^)#\s]+)/g), ([, target = ""]) => target)
    assert.deepStrictEqual(
      targets.filter((target) => !existsSync(`${repositoryRoot}${folder}${target}`)),
      []
    )
  })
})
