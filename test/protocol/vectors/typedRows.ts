/** What is the golden reply with a column of each type, in each of its forms? */
import { packColumns } from "../../../actors/provider/packColumns.ts"
import { contentHash } from "../../../protocol/frame/contentHash.ts"
import * as FrameCodec from "../../../protocol/frame/FrameCodec.ts"
import * as FrameJson from "../../../protocol/frame/FrameJson.ts"
import { dictionaryParameter, MediaType } from "../../../protocol/wire/Header.ts"
import * as PlainPack from "../../../protocol/wire/PlainPack.ts"
import { typedFrame } from "../../support/typedFrame.ts"

const arrow = (accept: string, categories: FrameCodec.CategoryForm) => ({
  accept,
  base64: Buffer.from(FrameCodec.encode(typedFrame, { lineage: "columns", metadata: new Map(), categories })).toString(
    "base64"
  )
})

/** Rows with missing values, and the hash of their data. */
export const typedRows = {
  json: { columns: FrameJson.toJson(typedFrame), types: FrameJson.typesOf(typedFrame) },
  arrow: [arrow(MediaType.arrow, "text"), arrow(`${MediaType.arrow}; ${dictionaryParameter}=true`, "dictionary")],
  contentHash: contentHash(typedFrame),
  messagePack: {
    accept: MediaType.messagePack,
    base64: Buffer.from(
      PlainPack.pack({ columns: packColumns(typedFrame), types: FrameJson.typesOf(typedFrame) })
    ).toString("base64")
  }
}
