// The shader against the Canvas2D twin, which the unit tests hold against the reference. Needs a real
// WebGL2; in headless Chromium that is SwiftShader.
import { expect, test } from "@playwright/test";
import { createServer, type ViteDevServer } from "vite";
import type * as Make from "../src/data/testing_overview";
import type * as Client from "../src/data/types";

let server: ViteDevServer;
let address = "";

test.beforeAll(async () => {
  server = await createServer({ configFile: false, server: { port: 0, host: "127.0.0.1" }, logLevel: "error" });
  await server.listen();
  address = server.resolvedUrls?.local[0] ?? "";
});

test.afterAll(async () => {
  await server.close();
});

for (const mode of ["A", "B", "diff"] as const) {
  for (const companding of ["sqrt", "linear"] as const) {
    test(`draw the same: ${mode}, ${companding}`, async ({ page }) => {
      // Any page of this origin will do; the modules are imported into it.
      await page.goto(`${address}package.json`);
      const result = await page.evaluate(comparePainters, { mode, companding });
      expect(result.drawn).toBe(true);
      expect(result.coloured).toBeGreaterThan(10_000);
      // One step of the colour map, where the two round differently.
      expect(result.worst).toBeLessThanOrEqual(6);
      expect(result.different).toBeLessThan(result.coloured / 100);
    });
  }
}

interface Case {
  readonly mode: "A" | "B" | "diff";
  readonly companding: "sqrt" | "linear";
}

interface Outcome {
  readonly drawn: boolean;
  readonly coloured: number;
  readonly different: number;
  readonly worst: number;
}

/** Runs in the page. */
async function comparePainters(options: Case): Promise<Outcome> {
  // Addresses of the dev server, unknown to the compiler: hence not literals.
  const folder = "/src/render";
  const make = (await import(`${folder}/../data/testing_overview.ts`)) as typeof Make;
  const { gridLayout } = (await import(`${folder}/grid_layout.ts`)) as typeof import("../src/render/grid_layout");
  const { gridScene } = (await import(`${folder}/grid_scene.ts`)) as typeof import("../src/render/grid_scene");
  const { WebglPainter } = (await import(`${folder}/grid_webgl.ts`)) as typeof import("../src/render/grid_webgl");
  const twin = (await import(`${folder}/grid_canvas2d.ts`)) as typeof import("../src/render/grid_canvas2d");
  const grid = (await import(`${folder}/head_grid.ts`)) as typeof import("../src/render/head_grid");

  // More texels than pixels, fewer, and a map that is no square with an odd width.
  const sizes = [[0, 300, 300], [1, 9, 9], [5, 31, 77]] as const;
  const overview = (seed: number): Client.Overview =>
    make.overviewOf({
      layers: sizes.map(([layer, rows, cols]) => {
        const thumbs = Uint8Array.from({ length: 3 * rows * cols }, (_, i) => ((i + seed) * 7919 * seed) % 251);
        const headPeaks = Uint8Array.from([250, 250, 250]);
        return make.overviewLayerOf([0, 1, 4], rows, cols, thumbs, { layer, thumbPeak: seed / 7, headPeaks });
      }),
    });

  const data = { a: overview(3), b: overview(5), comparison: null };
  const layout = gridLayout({ width: 420, height: 420, layers: grid.layerShapes(data) });
  const scene = gridScene(data, { ...grid.defaultGridOptions, ...options, differenceLimit: 0.6 }, layout, 1.5);
  const paint = (painter: { paint(c: CanvasRenderingContext2D, s: typeof scene): boolean }): Uint8ClampedArray | null => {
    const canvas = Object.assign(document.createElement("canvas"), { width: scene.width, height: scene.height });
    const context = canvas.getContext("2d");
    if (context === null || !painter.paint(context, scene)) return null;
    return context.getImageData(0, 0, scene.width, scene.height).data;
  };
  const webgl = WebglPainter.create(() => undefined, true);
  const one = webgl === null ? null : paint(webgl);
  const other = paint(new twin.Canvas2dPainter());
  webgl?.dispose();
  if (one === null || other === null) return { drawn: false, coloured: 0, different: 0, worst: 255 };
  let [coloured, different, worst] = [0, 0, 0];
  other.forEach((value, i) => {
    const difference = Math.abs(value - (one[i] ?? 0));
    if (value > 0) coloured += 1;
    if (difference > 0) different += 1;
    worst = Math.max(worst, difference);
  });
  return { drawn: true, coloured, different, worst };
}
