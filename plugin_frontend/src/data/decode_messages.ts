// What the page and its decoding worker say to each other.
import { DataError } from "./errors";
import type { HeadQuestion } from "./head_maps";
import type { HeadMap } from "./types";

export interface DecodeRequest {
  readonly id: number;
  readonly body: ArrayBuffer;
  readonly question: HeadQuestion;
}

export type DecodeReply =
  | { readonly id: number; readonly heads: readonly HeadMap[] }
  | { readonly id: number; readonly sentence: string };

/** The one sentence for whatever went wrong while decoding. */
export function sentenceOf(error: unknown): string {
  if (error instanceof DataError) return error.message;
  return (
    "The server's answer could not be decoded: reload the page, and if that does not help, restart " +
    "TensorBoard so that page and server have the same version."
  );
}
