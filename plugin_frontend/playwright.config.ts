import { defineConfig } from "@playwright/test";

const flags = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];
const browser = process.env["CHROMIUM"];

// A real TensorBoard process serves logs that the Python package wrote; see e2e/tensorboard.ts.
export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  // Of no platform: pictures.spec.ts leaves out what differs between machines.
  snapshotPathTemplate: "{testDir}/pictures/{arg}{ext}",
  workers: 1,
  timeout: 60_000,
  // All kinds of tests run at once on two processors. What fails once and then passes is printed as flaky.
  retries: 1,
  expect: { timeout: 15_000 },
  forbidOnly: process.env["CI"] !== undefined,
  reporter: [["list"]],
  use: {
    headless: true,
    viewport: { width: 1440, height: 900 },
    colorScheme: "light",
    screenshot: "only-on-failure",
    launchOptions: {
      args: flags,
      ...(browser === undefined || browser === "" ? {} : { executablePath: browser }),
    },
  },
});
