// The body of an answer -> the message in it.
import { sentenceOf } from "./decode_messages";
import { DataError } from "./errors";

/** What is generated for each message. */
export interface MessageType<T> {
  decode(body: Uint8Array): T;
}

/** What `decode` gives; whatever goes wrong in it is told in one sentence. */
export function decoding<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw new DataError(sentenceOf(error));
  }
}

export function parse<T>(type: MessageType<T>, body: ArrayBuffer | null): T {
  return decoding(() => type.decode(new Uint8Array(body ?? new ArrayBuffer(0))));
}
