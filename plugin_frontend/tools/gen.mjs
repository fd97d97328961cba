// Generates src/gen/ from the .proto files. Needs a Python with grpcio-tools: PYTHON, else python3.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const python = process.env.PYTHON || "python3";
const plugin = join("node_modules", ".bin", process.platform === "win32" ? "protoc-gen-es.cmd" : "protoc-gen-es");
const repository = "..";
const protos = ["tb_llmdebug/wire/record.proto", "tb_llmdebug/plugin/view.proto"];

mkdirSync(join(root, "src", "gen"), { recursive: true });
const { status, error } = spawnSync(
  python,
  [
    "-m",
    "grpc_tools.protoc",
    `-I${repository}`,
    `--plugin=protoc-gen-es=${plugin}`,
    "--es_out=src/gen",
    "--es_opt=target=ts",
    ...protos.map((path) => `${repository}/${path}`),
  ],
  {
    cwd: root,
    stdio: "inherit",
    // The plugin is a script that looks for "node" on the PATH: give it the one that runs this.
    env: { ...process.env, PATH: [dirname(process.execPath), process.env.PATH].join(delimiter) },
  },
);
if (error !== undefined || status !== 0) {
  console.error(`Install grpcio-tools for "${python}", or set PYTHON to a Python that has it.`);
  process.exit(status || 1);
}
