// Generates src/gen/ from the .proto files. Needs a Python with grpcio-tools: PYTHON, else python3.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const python = process.env.PYTHON || "python3";
const plugin = join("node_modules", ".bin", process.platform === "win32" ? "protoc-gen-ts_proto.cmd" : "protoc-gen-ts_proto");
const repository = "..";
const protos = ["tb_llmdebug/wire/record.proto", "tb_llmdebug/plugin/view.proto"];

// Plain functions, not descriptors that are read when the page starts: those took as long as all else it runs.
const options = ["esModuleInterop=true", "fileSuffix=_pb", "env=browser", "forceLong=bigint", "enumsAsLiterals=true",
  "unrecognizedEnum=false", "outputJsonMethods=false", "exportCommonSymbols=false"];
// The page only reads; what makes messages is for its tests.
const outputs = {
  "src/gen": ["outputEncodeMethods=decode-only", "outputPartialMethods=false"],
  "src/gen/testing": ["outputPartialMethods=true", "useExactTypes=false"],
};

rmSync(join(root, "src", "gen"), { recursive: true, force: true });
for (const [folder, more] of Object.entries(outputs)) {
  mkdirSync(join(root, folder), { recursive: true });
  const { status, error } = spawnSync(
    python,
    [
      "-m",
      "grpc_tools.protoc",
      `-I${repository}`,
      `--plugin=protoc-gen-ts_proto=${plugin}`,
      `--ts_proto_out=${folder}`,
      `--ts_proto_opt=${[...options, ...more].join(",")}`,
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
}
