import { describe, expect, it } from "vitest";
import { fileName } from "./file_name";

describe("fileName", () => {
  it("keeps what a reader knows the picture by", () => {
    expect(fileName(["lr=0.1/seed 2", "decoder", "step 100", "layer 2 head 1"], "png")).toBe(
      "llmdebug_lr-0.1-seed-2_decoder_step-100_layer-2-head-1.png",
    );
    expect(fileName(["实验", "解码器"], "csv")).toBe("llmdebug_实验_解码器.csv");
  });

  it("has nothing that a file system or a shell takes for more than a letter", () => {
    for (const name of ["../../etc/passwd", "a\\b:c*?\"<>|", "\u202egnp.exe", "\0", "CON", " ", "..", "\ud800", "-rf", "x\ny"]) {
      const made = fileName([name], "png");
      expect(made).toMatch(/^llmdebug(_[\p{L}\p{N}_.-]+)?\.png$/u);
      expect(made).not.toMatch(/\.\.|[-.]\.png|_[-.]/);
    }
  });

  it("stays short enough, and keeps its last parts", () => {
    const made = fileName(["x".repeat(5000), "字".repeat(500), "step-100"], "svg");
    expect(new TextEncoder().encode(made).length).toBeLessThanOrEqual(140);
    expect(made).toMatch(/_step-100\.svg$/);
  });
});
