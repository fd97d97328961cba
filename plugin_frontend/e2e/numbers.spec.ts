// The numbers on screen against what NumPy and SciPy make of the logged arrays by the definitions, without this package.
import { execFileSync } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "./tensorboard";

test.use({ framed: false });

const HERE = dirname(fileURLToPath(import.meta.url));

function python(body: string, ...args: string[]): Record<string, number> {
  const head = ["import json, sys", "import numpy as np", `sys.path.insert(0, ${JSON.stringify(HERE)})`, "import tb_llmdebug as llmdebug"];
  const said = execFileSync(process.env["PYTHON"] ?? "python3", ["-c", [...head, body].join("\n"), ...args], { encoding: "utf8" });
  return JSON.parse(said) as Record<string, number>;
}

/** Three digits are shown, or four of a share. */
function expectShown(text: string, wanted: number, what: string): void {
  const shown = Number.parseFloat(text.replace("−", "-")) * (text.includes("%") ? 0.01 : 1);
  expect(Math.abs(shown - wanted), `${what}: ${text} for ${wanted}`).toBeLessThanOrEqual(Math.abs(wanted) * 0.006 + 1e-7);
}

const STATISTICS = `
from make_logs import maps
w = maps(0, 1 / 20, size=4, layers=105)[7][1, 2].astype(float)  # of "abca", which begins again at its end
n, rows = 4, range(4)
entropy = [-sum(p * np.log2(p) for p in w[i] if p > 0) for i in rows]
print(json.dumps({
    "entropy": np.mean(entropy), "effective": np.mean([2**e for e in entropy]), "max": np.mean([max(w[i]) for i in rows]),
    "first_token": np.mean([w[i, 0] for i in rows]), "diagonal": np.mean([w[i, i] for i in rows]),
    "previous_token": np.mean([w[i, i - 1] for i in rows[1:]]), "above_diagonal": 0, "nan": 0, "inf": 0,
    "distance": np.mean([sum(w[i, k] * abs(i - k) for k in rows) for i in rows]), "induction": w[3, 1],
}))
`;

const DISTANCE = `
from scipy.spatial.distance import jensenshannon
logs = llmdebug.open_logdir(sys.argv[1])
a, b = (logs.attention("many", "decoder", step=step).weights(7, 2, 1).astype(float) for step in (0, 1))
print(json.dumps({"distance": np.mean([jensenshannon(p, q, base=2) for p, q in zip(a, b)])}))
`;

test("statistics and the distance of A and B are what their definitions say", async ({ open, serve }) => {
  const frame = await open("steps", "&p.llmdebug.runs=many&p.llmdebug.layer=7&p.llmdebug.head=2&p.llmdebug.example=1&p.llmdebug.difference=1&p.llmdebug.table=1");
  const { logdir } = await serve("steps");
  const cells = frame.getByTestId("statistics");
  await expect(cells.locator("td[data-statistic=js_distance]")).toHaveText(/\d/);
  const wanted = python(STATISTICS);
  for (const [name, value] of Object.entries(wanted)) {
    expectShown((await cells.locator(`td[data-statistic=${name}]`).last().textContent()) ?? "", value, name);
  }
  expectShown((await cells.locator("td[data-statistic=js_distance]").textContent()) ?? "", python(DISTANCE, logdir)["distance"] ?? NaN, "distance");
  const row = frame.locator("[data-side=B]").getByTestId("grid-table").locator("tbody tr").nth(7);
  expectShown((await row.getByRole("button").nth(2).textContent()) ?? "", wanted["entropy"] ?? NaN, "entropy in the table");
});

const LENSES = `
stored = llmdebug.open_logdir(sys.argv[1]).attention("decoder", "decoder", step=10)
w = [[[stored.weights(layer, head, e).astype(float) for head in range(3)] for layer in range(3)] for e in range(2)]
row = w[0][1][1][5]  # layer 1 head 1, query 5, of which key 3; key 0 is the sink
mass, ordered = row[0], np.sort(row[1:])[::-1] / row[1:].sum()
step = [np.mean(layer, axis=0) / 2 + np.eye(8) / 2 for layer in w[0]]
print(json.dumps({
    "rest": row[3] / (1 - mass), "raw": row[3], "mass": mass, "keys": int((ordered.cumsum() < 0.5).sum()) + 1,
    "value": row[3] * stored.value_norms(1, 0)[1][3],
    "mean": (row[3] + w[1][1][1][7, 5]) / 2,  # the second text begins two tokens later
    "rollout": (step[1] @ step[0])[5, 3],
}))
`;

test("what is set aside, the edges of p %, and the three lenses are what their formulas say", async ({ open, serve }) => {
  const frame = await open("sinks", "&p.llmdebug.runs=decoder&p.llmdebug.layer=1&p.llmdebug.head=1&p.llmdebug.query=5&p.llmdebug.key=3&p.llmdebug.lens=mass%3D50");
  const { logdir } = await serve("sinks");
  const wanted = python(LENSES, logdir);
  const readout = frame.getByTestId("panel").getByTestId("cell-readout").first();
  await expect(readout).toHaveText(/of the whole row.*keys: 50 %/); // not those of the thumbnail, which come first
  const said = (await readout.textContent()) ?? "";
  const [, rest = "", raw = "", keys = ""] = /“brown”: ([^ ]+) · ([^ ]+) of the whole row.* (\d+) of 7 keys: 50 %/.exec(said) ?? [];
  expectShown(rest, wanted["rest"] ?? NaN, "weight of the rest");
  expectShown(raw, wanted["raw"] ?? NaN, "weight of the row");
  expect(Number(keys), said).toBe(wanted["keys"]);
  await frame.getByTestId("running-text").locator("[data-token='5']").hover();
  const share = / · ([\d.]+ %) set aside/.exec((await frame.getByTestId("running-text").textContent()) ?? "")?.[1] ?? "";
  expectShown(share, wanted["mass"] ?? NaN, "share set aside");
  await frame.getByTestId("sinks").click();
  const beside = frame.getByTestId("lens-map");
  for (const lens of ["value", "mean", "rollout"]) {
    await frame.getByTestId(`lens-${lens}`).click();
    await expect(beside.getByRole("heading")).toHaveText({ value: /norm/, mean: /Mean/, rollout: /Rollout/ }[lens] ?? "");
    await expect(beside.getByTestId("cell-readout")).toHaveText(/→.*: [\d.]/);
    const number = /: ([\d.e−]+)/.exec((await beside.getByTestId("cell-readout").textContent()) ?? "")?.[1] ?? "";
    expectShown(number, wanted[lens] ?? NaN, lens);
  }
});
