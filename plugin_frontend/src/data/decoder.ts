// Where decoding happens: in a module worker, or on the page when a worker cannot start (file://).
import type { Disposable } from "../base/disposables";
import { DataError } from "./errors";
import { sentenceOf, type DecodeReply, type DecodeRequest } from "./decode_messages";
import { decodeMaps, type DecodedMaps, type MapsQuestion } from "./maps";
import { loadUnzstd } from "./zstd";

export interface Decoder extends Disposable {
  /** Takes the body over: it must not be used afterwards. */
  decode(body: ArrayBuffer, question: MapsQuestion): Promise<DecodedMaps>;
}

export class InlineDecoder implements Decoder {
  async decode(body: ArrayBuffer, question: MapsQuestion): Promise<DecodedMaps> {
    try {
      return decodeMaps(new Uint8Array(body), question, await loadUnzstd());
    } catch (error) {
      throw new DataError(sentenceOf(error));
    }
  }

  dispose(): void {
    // Nothing is held.
  }
}

interface Waiting {
  readonly resolve: (decoded: DecodedMaps) => void;
  readonly reject: (error: Error) => void;
}

/** What of a Worker is used; tests give their own. */
export interface WorkerLike {
  onmessage: ((event: MessageEvent<DecodeReply>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  postMessage(message: DecodeRequest, transfer: Transferable[]): void;
  terminate(): void;
}

export class WorkerDecoder implements Decoder {
  private readonly waiting = new Map<number, Waiting>();
  private readonly worker: WorkerLike;
  private nextId = 0;
  private broken = false;

  constructor(worker: WorkerLike) {
    this.worker = worker;
    worker.onmessage = (event) => this.answer(event.data);
    worker.onerror = (event) => this.fail(event);
  }

  /** Nothing more can be expected of the worker. */
  get failed(): boolean {
    return this.broken;
  }

  decode(body: ArrayBuffer, question: MapsQuestion): Promise<DecodedMaps> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, body, question }, [body]);
    });
  }

  dispose(): void {
    this.worker.terminate();
    this.rejectAll("The page was closed.");
  }

  private answer(reply: DecodeReply): void {
    const waiting = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if ("decoded" in reply) waiting?.resolve(reply.decoded);
    else waiting?.reject(new DataError(reply.sentence));
  }

  private fail(event: ErrorEvent): void {
    event.preventDefault();
    this.broken = true;
    this.worker.terminate();
    this.rejectAll("The decoder stopped: try again.");
  }

  private rejectAll(sentence: string): void {
    for (const { reject } of this.waiting.values()) reject(new DataError(sentence));
    this.waiting.clear();
  }
}

function tryToStart(start: () => WorkerLike): WorkerDecoder | null {
  try {
    return new WorkerDecoder(start());
  } catch {
    return null;
  }
}

/** Asked again after waiting: the worker may have stopped meanwhile. */
function hasFailed(worker: WorkerDecoder): boolean {
  return worker.failed;
}

function startWorker(): WorkerLike {
  return new Worker(new URL("./decode.worker.ts", import.meta.url), { type: "module", name: "llmdebug-decode" });
}

/** Decodes in a worker; if that stops or never starts, on the page from then on. */
export class AutoDecoder implements Decoder {
  private readonly worker: WorkerDecoder | null;
  private readonly inline = new InlineDecoder();

  constructor(start: () => WorkerLike = startWorker) {
    this.worker = tryToStart(start);
  }

  async decode(body: ArrayBuffer, question: MapsQuestion): Promise<DecodedMaps> {
    const worker = this.worker;
    if (worker === null || worker.failed) return this.inline.decode(body, question);
    // The worker takes the body away; should it die, the answer is decoded here instead.
    const spare = body.slice(0);
    try {
      return await worker.decode(body, question);
    } catch (error) {
      if (!hasFailed(worker)) throw error;
      return this.inline.decode(spare, question);
    }
  }

  dispose(): void {
    this.worker?.dispose();
  }
}
