import { describe, expect, it, vi } from "vitest";
import type { DecodeReply, DecodeRequest } from "./decode_messages";
import { AutoDecoder, WorkerDecoder, type WorkerLike } from "./decoder";
import { mapsBody } from "./testing";

const question = { refs: [{ series: "s", ordinal: 0, example: 0 }], head: null, pool: "max" as const };
const body = () => mapsBody({ maps: [{ step: 5n }] });

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
    worker.reply({ id: 1, decoded: { maps: [], comparisons: [] } });
    worker.reply({ id: 0, sentence: "No." });
    await expect(first).rejects.toThrow("No.");
    expect(await second).toEqual({ maps: [], comparisons: [] });
  });
});

describe("AutoDecoder", () => {
  it("decodes on the page when no worker starts", async () => {
    const decoder = new AutoDecoder(() => {
      throw new Error("file://");
    });
    expect((await decoder.decode(body(), question)).maps[0]?.overview?.step).toBe(5);
  });

  it("decodes on the page what a dying worker held, and everything after", async () => {
    const worker = new FakeWorker();
    const decoder = new AutoDecoder(() => worker);
    const pending = decoder.decode(body(), question);
    worker.crash();
    expect((await pending).maps[0]?.overview?.step).toBe(5);
    expect((await decoder.decode(body(), question)).maps[0]?.overview?.step).toBe(5);
    expect(worker.requests).toHaveLength(1);
    expect(worker.terminate).toHaveBeenCalled();
  });
});
