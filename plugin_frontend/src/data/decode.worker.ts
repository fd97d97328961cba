// Decodes `maps` answers off the page's thread.
import { sentenceOf, type DecodeReply, type DecodeRequest } from "./decode_messages";
import { decodeMaps, transferables } from "./maps";
import { loadUnzstd } from "./zstd";

// The page's and the worker's type libraries exclude each other; this is the part in use.
interface WorkerScope {
  onmessage: ((event: MessageEvent<DecodeRequest>) => void) | null;
  postMessage(reply: DecodeReply, transfer: Transferable[]): void;
}

const scope = self as unknown as WorkerScope;

async function handle({ id, body, question }: DecodeRequest): Promise<void> {
  try {
    const decoded = decodeMaps(new Uint8Array(body), question, await loadUnzstd());
    scope.postMessage({ id, decoded }, transferables(decoded));
  } catch (error) {
    scope.postMessage({ id, sentence: sentenceOf(error) }, []);
  }
}

scope.onmessage = (event) => void handle(event.data);

// The decoder is fetched and compiled while the page still asks for its index. Should that fail, the
// first request fails too and says so.
loadUnzstd().catch(() => undefined);
