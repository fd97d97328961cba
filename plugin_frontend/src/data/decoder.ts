// Where decoding happens: in a module worker, or on the page when a worker cannot start (file://).
import type { Disposable } from "../base/disposables";
import { DataError } from "./errors";
import { sentenceOf, type DecodeReply, type DecodeRequest } from "./decode_messages";
import type { HeadQuestion } from "./head_maps";
import type { HeadMap } from "./types";

type Heads = readonly HeadMap[];

export interface Decoder extends Disposable {
  /** Says that something will be decoded soon. */
  prepare(): void;
  /** Takes the body over: it must not be used afterwards. */
  decode(body: ArrayBuffer, question: HeadQuestion): Promise<Heads>;
}

export class InlineDecoder implements Decoder {
  prepare(): void {
    // It is not needed unless the worker fails.
  }

  async decode(body: ArrayBuffer, question: HeadQuestion): Promise<Heads> {
    try {
      const { decodeHeads, loadUnzstd } = await import("./decoding");
      return decodeHeads(new Uint8Array(body), question, await loadUnzstd());
    } catch (error) {
      throw new DataError(sentenceOf(error));
    }
  }

  dispose(): void {
    // Nothing is held.
  }
}

interface Waiting {
  readonly resolve: (heads: Heads) => void;
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

  prepare(): void {
    // It runs.
  }

  decode(body: ArrayBuffer, question: HeadQuestion): Promise<Heads> {
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
    if ("heads" in reply) waiting?.resolve(reply.heads);
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
  /** undefined: not wanted yet. */
  private worker: WorkerDecoder | null | undefined;
  private readonly inline = new InlineDecoder();

  constructor(private readonly start: () => WorkerLike = startWorker) {}

  /** The first picture needs no worker, and starting one would compete with drawing it. */
  prepare(): void {
    this.running();
  }

  async decode(body: ArrayBuffer, question: HeadQuestion): Promise<Heads> {
    const worker = this.running();
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

  private running(): WorkerDecoder | null {
    if (this.worker === undefined) this.worker = tryToStart(this.start);
    return this.worker;
  }
}
