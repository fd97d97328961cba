// What decodes heads where no worker does: loaded only then.
export { decodeHeads } from "./head_maps";
export { loadUnzstd } from "./zstd";
