// Decodes the weights of heads off the page's thread.
import { sentenceOf, type DecodeReply, type DecodeRequest } from "./decode_messages";
import { decodeHeads, transferables } from "./head_maps";
import { loadUnzstd } from "./zstd";

// The page's and the worker's type libraries exclude each other; this is the part in use.
interface WorkerScope {
  onmessage: ((event: MessageEvent<DecodeRequest>) => void) | null;
  postMessage(reply: DecodeReply, transfer: Transferable[]): void;
}

const scope = self as unknown as WorkerScope;

async function handle({ id, body, question }: DecodeRequest): Promise<void> {
  try {
    const heads = decodeHeads(new Uint8Array(body), question, await loadUnzstd());
    scope.postMessage({ id, heads }, transferables(heads));
  } catch (error) {
    scope.postMessage({ id, sentence: sentenceOf(error) }, []);
  }
}

scope.onmessage = (event) => void handle(event.data);

// Fetched and compiled while the page still waits for the first head. Should that fail, its request fails too
// and says so.
loadUnzstd().catch(() => undefined);
