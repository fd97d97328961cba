// Real TensorBoard processes over logs that the Python package wrote, one per kind of log and worker.
import { spawn, type ChildProcess, type ChildProcessByStdio } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { test as base, expect, type Page } from "@playwright/test";

const PYTHON = process.env["PYTHON"] ?? "python3";
const MAKE_LOGS = fileURLToPath(new URL("make_logs.py", import.meta.url));
/** Kinds of log that a script of their own writes. */
const OWN_SCRIPTS: Readonly<Partial<Record<Kind, string>>> = { real: "real_models.py", compared: "compared.py", taught: "taught.py" };
/** Without TensorFlow, as many machines that only look at logs are; one kind of log is served with it. */
const ALONE = fileURLToPath(new URL("tensorboard_alone.py", import.meta.url));
const START_MS = 120_000;

type Kind =
  | "ordinary"
  | "steps"
  | "hostile"
  | "restarted"
  | "damaged"
  | "large"
  | "pooled"
  | "rows"
  | "heads"
  | "workers"
  | "matched"
  | "sinks"
  | "growing"
  | "taught"
  | "watched"
  | "real"
  | "edges"
  | "framed"
  | "compared"
  | "empty" | "strings";
/** These go on writing when they are told to. */
const LIVE: readonly Kind[] = ["growing", "watched"];
type Writing = ChildProcessByStdio<Writable, Readable, null>;

/** A TensorBoard and the process that writes what it shows. */
export interface Served {
  readonly url: string;
  readonly logdir: string;
  /** What the script printed while it wrote the logs. */
  readonly said: string;
  /** Only for live kinds: has one more step (or session) logged, and waits until it is on disk. */
  readonly grow: () => Promise<void>;
}

function firstMatch(stream: Readable, pattern: RegExp, what: string): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let text = "";
    const timer = setTimeout(() => reject(new Error(`${what} said only: ${text}`)), START_MS);
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const match = pattern.exec(text);
      if (match === null) return;
      clearTimeout(timer);
      resolve(match);
    });
    stream.on("close", () => reject(new Error(`${what} ended: ${text}`)));
  });
}

function write(kind: Kind, logdir: string): Writing {
  const own = OWN_SCRIPTS[kind];
  const script = own === undefined ? [MAKE_LOGS, kind] : [fileURLToPath(new URL(own, import.meta.url))];
  return spawn(PYTHON, [...script, logdir], { stdio: ["pipe", "pipe", "inherit"] });
}

async function written(writing: Writing, kind: Kind): Promise<string> {
  if (LIVE.includes(kind)) {
    await firstMatch(writing.stdout, /logged/, "make_logs.py");
    return "";
  }
  let said = "";
  writing.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise((resolve) => writing.on("close", resolve));
  if (code !== 0) throw new Error(`make_logs.py ${kind} ended with ${String(code)}`);
  return said;
}

async function start(kind: Kind): Promise<[Served, () => void]> {
  const logdir = mkdtempSync(join(tmpdir(), "llmdebug-e2e-"));
  const writing = write(kind, logdir);
  const said = await written(writing, kind);
  const program = kind === "ordinary" ? ["-m", "tensorboard.main"] : [ALONE];
  const server: ChildProcess = spawn(
    PYTHON,
    [...program, "--logdir", logdir, "--port", "0", "--reload_interval", "1"],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  if (server.stderr === null) throw new Error("tensorboard has no standard error");
  const [, url] = await firstMatch(server.stderr, / at (http:\S+)/, "tensorboard");
  const grow = async (): Promise<void> => {
    const said = firstMatch(writing.stdout, /logged/, "make_logs.py");
    writing.stdin.write("\n");
    await said;
  };
  const stop = (): void => {
    writing.kill();
    server.kill();
    rmSync(logdir, { recursive: true, force: true });
  };
  return [{ url: url ?? "", logdir, said, grow }, stop];
}

/** Where the plugin's page is looked at: TensorBoard's frame around it, or a window of its own. */
export type View = Pick<Page, "getByLabel" | "getByRole" | "getByTestId" | "getByText" | "getByTitle" | "locator">;

interface Options {
  /** The page as TensorBoard serves it to its frame, without TensorBoard's own application around it, which takes longer to start than most tests. */
  readonly framed: boolean;
}

interface Fixtures {
  /** Opens the page over logs of a kind, with the selection in `hash`, and waits until it shows something. */
  readonly open: (kind: Kind, hash?: string) => Promise<View>;
  readonly dialogs: string[];
  readonly problems: string[];
}

interface WorkerFixtures {
  readonly serve: (kind: Kind) => Promise<Served>;
}

export function pluginFrame(page: Page): View {
  return page.locator("iframe").first().contentFrame();
}

export const test = base.extend<Options & Fixtures, WorkerFixtures>({
  framed: [true, { option: true }],
  serve: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads the parameter's pattern
    async ({}, use) => {
      const running = new Map<Kind, Promise<[Served, () => void]>>();
      await use(async (kind) => {
        const started = running.get(kind) ?? start(kind);
        running.set(kind, started);
        return (await started)[0];
      });
      for (const started of running.values()) (await started)[1]();
    },
    { scope: "worker", timeout: 2 * START_MS },
  ],
  dialogs: async ({ page }, use) => {
    const seen: string[] = [];
    page.on("dialog", (dialog) => {
      seen.push(dialog.message());
      void dialog.dismiss();
    });
    await use(seen);
  },
  problems: async ({ page }, use) => {
    const seen: string[] = [];
    page.on("pageerror", (error) => seen.push(String(error)));
    await use(seen);
  },
  open: async ({ page, framed, serve, problems, dialogs }, use, info) => {
    await use(async (kind, hash = "") => {
      // The first test of a kind starts its server; that wait is not the page's.
      const allowed = info.timeout;
      const began = Date.now();
      info.setTimeout(allowed + 2 * START_MS);
      const { url } = await serve(kind);
      info.setTimeout(allowed + Date.now() - began);
      await page.goto(framed ? `${url}#llmdebug${hash}` : `${url}data/plugin_entry.html?name=llmdebug#${hash}`);
      const frame = framed ? pluginFrame(page) : page;
      await expect(frame.getByTestId("page")).toBeVisible({ timeout: 30_000 });
      return frame;
    });
    // Whatever a test did, the page must not have thrown or let a script of the logs run.
    expect(problems).toEqual([]);
    expect(dialogs).toEqual([]);
  },
});

export { expect };
