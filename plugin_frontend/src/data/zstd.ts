// Decompression of one zstd frame whose size is known beforehand. The declared size is checked before
// the decoder sees the frame, so a hostile frame cannot make it allocate.
import { decompress, init } from "@bokuweb/zstd-wasm";
import { DataError } from "./errors";

export type Unzstd = (frame: Uint8Array, size: number) => Uint8Array;

const magic = 0xfd2fb528;

/** Content size that the frame declares; null if it leaves it out. */
export function declaredSize(frame: Uint8Array): number | null {
  if (frame.length < 6) throw new DataError("A compressed block is cut short.");
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint32(0, true) !== magic) throw new DataError("A compressed block is not a zstd frame.");
  const descriptor = view.getUint8(4);
  const sizeFlag = descriptor >> 6;
  const singleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const at = 5 + (singleSegment ? 0 : 1) + dictionaryBytes;
  const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag;
  if (sizeBytes === 0) return null;
  if (frame.length < at + sizeBytes) throw new DataError("A compressed block is cut short.");
  if (sizeBytes === 1) return view.getUint8(at);
  if (sizeBytes === 2) return view.getUint16(at, true) + 256;
  if (sizeBytes === 4) return view.getUint32(at, true);
  return Number(view.getBigUint64(at, true));
}

function unzstd(frame: Uint8Array, size: number): Uint8Array {
  const declared = declaredSize(frame);
  if (declared !== null && declared !== size) {
    throw new DataError(`A compressed block declares ${declared} bytes where ${size} belong.`);
  }
  if (size === 0) return new Uint8Array(0);
  let bytes: Uint8Array;
  try {
    bytes = decompress(frame, { defaultHeapSize: size });
  } catch {
    throw new DataError("A compressed block is damaged.");
  }
  if (bytes.length !== size) {
    throw new DataError(`A compressed block holds ${bytes.length} bytes where ${size} belong.`);
  }
  return bytes;
}

/** The library lets go of a download that fails: only the browser's report of that tells. */
function initialised(): Promise<void> {
  const scope = globalThis as Partial<typeof globalThis>;
  return new Promise((resolve, reject) => {
    const failed = (event: PromiseRejectionEvent): void => {
      event.preventDefault();
      reject(new DataError("the decoder did not come; check that TensorBoard is still running, then reload the page."));
    };
    scope.addEventListener?.("unhandledrejection", failed);
    init()
      .then(resolve, reject)
      .finally(() => scope.removeEventListener?.("unhandledrejection", failed));
  });
}

let loading: Promise<Unzstd> | null = null;

/** Loads the decoder once; the library has no second attempt. */
export function loadUnzstd(): Promise<Unzstd> {
  loading ??= initialised().then(() => unzstd);
  return loading;
}
