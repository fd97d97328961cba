import { describe, expect, it, vi } from "vitest";
import type { DecodeReply, DecodeRequest } from "./decode_messages";
import { AutoDecoder, WorkerDecoder, type WorkerLike } from "./decoder";
import { bytesOf, headTiles, mapsBody, zstd } from "./testing";

const question = { refs: [{ series: "s", ordinal: 0, example: 0 }], head: { layer: 1, head: 2 }, pool: "max" as const };
const head = headTiles({ queries: 1, keys: 2, tiles: [zstd(bytesOf(Float32Array.from([0.25, 0.75])))] });
const body = () => mapsBody({ maps: [{ head }] });
const weights = [0.25, 0.75];

class FakeWorker implements WorkerLike {
  onmessage: WorkerLike["onmessage"] = null;
  onerror: WorkerLike["onerror"] = null;
  readonly requests: DecodeRequest[] = [];
  readonly terminate = vi.fn();

  postMessage(request: DecodeRequest, transfer: Transferable[]): void {
    this.requests.push(structuredClone(request, { transfer }));
  }

  reply(reply: DecodeReply): void {
    this.onmessage?.({ data: reply } as MessageEvent<DecodeReply>);
  }

  crash(): void {
    this.onerror?.({ preventDefault: () => undefined } as ErrorEvent);
  }
}

describe("WorkerDecoder", () => {
  it("gives each answer to its question, whatever their order", async () => {
    const worker = new FakeWorker();
    const decoder = new WorkerDecoder(worker);
    const first = decoder.decode(body(), question);
    const second = decoder.decode(body(), question);
    worker.reply({ id: 1, heads: [] });
    worker.reply({ id: 0, sentence: "No." });
    await expect(first).rejects.toThrow("No.");
    expect(await second).toEqual([]);
  });
});

describe("AutoDecoder", () => {
  it("starts its worker when something is about to be decoded, once", () => {
    const start = vi.fn(() => new FakeWorker());
    const decoder = new AutoDecoder(start);
    expect(start).not.toHaveBeenCalled();
    decoder.prepare();
    decoder.prepare();
    void decoder.decode(body(), question);
    expect(start).toHaveBeenCalledTimes(1);
  });

  it("decodes on the page when no worker starts", async () => {
    const decoder = new AutoDecoder(() => {
      throw new Error("file://");
    });
    expect([...((await decoder.decode(body(), question))[0]?.values ?? [])]).toEqual(weights);
  });

  it("decodes on the page what a dying worker held, and everything after", async () => {
    const worker = new FakeWorker();
    const decoder = new AutoDecoder(() => worker);
    const pending = decoder.decode(body(), question);
    worker.crash();
    expect([...((await pending)[0]?.values ?? [])]).toEqual(weights);
    expect([...((await decoder.decode(body(), question))[0]?.values ?? [])]).toEqual(weights);
    expect(worker.requests).toHaveLength(1);
    expect(worker.terminate).toHaveBeenCalled();
  });
});
