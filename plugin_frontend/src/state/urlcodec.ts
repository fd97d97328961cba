// Selection <-> the keys of a URL hash. A URL is hostile: whatever does not parse falls back to the
// default here; whatever the index does not hold is ignored in resolve.ts.
import { readDifferenceEnd } from "./difference_scale";
import { readExposure } from "./exposure";
import { isName, readHeads, writeHeads } from "./heads";
import { readLens, writeLens } from "./lens";
import { readTeaching, writeTeaching } from "./teaching";
import { readMultiples, writeMultiples } from "./multiples";
import { readPlaying, writePlaying } from "./playing";
import {
  DEFAULT_SELECTION,
  NORM_NAMES,
  PEAK_NAMES,
  POOL_NAMES,
  SCALE_NAMES,
  VIEW_NAMES,
  type Pin,
  type Selection,
} from "./selection";
import { readViewport, writeViewport } from "./viewport";

export const HASH_PREFIX = "p.llmdebug.";

const MAX_TEXT = 1024;
const MAX_LIST = 64;
const MAX_INDEX = 2 ** 31 - 1;

interface Field<T> {
  readonly key: string;
  readonly write: (value: T) => string | null;
  readonly read: (text: string) => T | undefined;
}

function oneOf<T extends string>(key: string, names: readonly T[], standard: T): Field<T> {
  return {
    key,
    write: (value) => (value === standard ? null : value),
    read: (text) => names.find((name) => name === text),
  };
}

function optionalText(key: string): Field<string | null> {
  return {
    key,
    write: (value) => value,
    read: (text) => (text.length <= MAX_TEXT ? text : undefined),
  };
}

function readInteger(text: string, low: number, high: number): number | undefined {
  if (!/^-?\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= low && value <= high ? value : undefined;
}

function optionalIndex(key: string): Field<number | null> {
  return {
    key,
    write: (value) => (value === null ? null : String(value)),
    read: (text) => readInteger(text, 0, MAX_INDEX),
  };
}

function flag(key: string): Field<boolean> {
  return { key, write: (value) => (value ? "1" : null), read: (text) => text === "1" };
}

const readStep = (text: string): number | undefined =>
  readInteger(text, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);

// Inside one value "," and ":" separate, so they are escaped in what they separate. The hash as a whole
// is percent-encoded once more.
const escapePart = (text: string): string => text.replace(/[%,:]/g, encodeURIComponent);

function unescapePart(text: string): string | undefined {
  try {
    const plain = decodeURIComponent(text);
    return plain.length <= MAX_TEXT ? plain : undefined;
  } catch {
    return undefined;
  }
}

function pinField(key: string): Field<Pin | null> {
  return {
    key,
    write: (pin) => (pin === null ? null : `${pin.step}:${escapePart(pin.run)}`),
    read: (text) => {
      const colon = text.indexOf(":");
      if (colon < 0) return undefined;
      const step = readStep(text.slice(0, colon));
      const run = unescapePart(text.slice(colon + 1));
      return step === undefined || run === undefined ? undefined : { run, step };
    },
  };
}

const runsField: Field<readonly string[] | null> = {
  key: "runs",
  write: (runs) => runs?.map(escapePart).join(",") ?? null,
  read: (text) => {
    const names = text.split(",").slice(0, MAX_LIST).map(unescapePart);
    const known = names.filter((name) => name !== undefined);
    return known.length > 0 ? [...new Set(known)] : undefined;
  },
};

const sessionsField: Field<Readonly<Record<string, string>>> = {
  key: "sessions",
  write: (sessions) => {
    const pairs = Object.entries(sessions).map(([run, id]) => `${escapePart(run)}:${escapePart(id)}`);
    return pairs.length > 0 ? pairs.sort().join(",") : null;
  },
  read: (text) => {
    const pairs = text.split(",").slice(0, MAX_LIST).map((pair) => pair.split(":").map(unescapePart));
    const known = pairs.flatMap(([run, id]) => (run !== undefined && id !== undefined ? [[run, id] as const] : []));
    // fromEntries defines properties, so "__proto__" is a name like any other.
    return Object.fromEntries(known);
  },
};

const FIELDS: { readonly [K in keyof Selection]: Field<Selection[K]> } = {
  view: oneOf("view", VIEW_NAMES, DEFAULT_SELECTION.view),
  runs: runsField,
  run: optionalText("run"),
  name: optionalText("name"),
  attribution: optionalText("attribution"),
  example: {
    key: "example",
    write: (value) => (value === 0 ? null : String(value)),
    read: (text) => readInteger(text, 0, MAX_INDEX),
  },
  step: { key: "step", write: (value) => (value === null ? null : String(value)), read: readStep },
  layer: optionalIndex("layer"),
  head: optionalIndex("head"),
  query: optionalIndex("query"),
  key: optionalIndex("key"),
  a: pinField("a"),
  b: pinField("b"),
  difference: flag("difference"),
  sessions: sessionsField,
  worker: optionalIndex("worker"),
  scale: oneOf("scale", SCALE_NAMES, DEFAULT_SELECTION.scale),
  peak: oneOf("peak", PEAK_NAMES, DEFAULT_SELECTION.peak),
  exposure: {
    key: "exposure",
    write: (value) => (value === 1 ? null : String(value)),
    read: readExposure,
  },
  differenceEnd: {
    key: "end",
    write: (value) => (value === 0 ? null : String(value)),
    read: readDifferenceEnd,
  },
  pool: oneOf("pool", POOL_NAMES, DEFAULT_SELECTION.pool),
  norm: oneOf("norm", NORM_NAMES, DEFAULT_SELECTION.norm),
  table: flag("table"),
  filter: {
    key: "filter",
    write: (value) => (value === "" ? null : value),
    read: (text) => (text.length <= 256 ? text : undefined),
  },
  lossTag: optionalText("loss"),
  tableStatistic: {
    key: "statistic",
    write: (value) => (value === DEFAULT_SELECTION.tableStatistic ? null : value),
    read: (text) => (isName(text) ? text : undefined),
  },
  viewport: { key: "part", write: writeViewport, read: readViewport },
  heads: { key: "heads", write: writeHeads, read: readHeads },
  lens: { key: "lens", write: writeLens, read: readLens },
  teaching: { key: "teaching", write: writeTeaching, read: readTeaching },
  multiples: { key: "multiples", write: writeMultiples, read: readMultiples },
  playing: { key: "playing", write: writePlaying, read: readPlaying },
};

const FIELD_NAMES = Object.keys(FIELDS) as (keyof Selection)[];

const writeField = <K extends keyof Selection>(name: K, value: Selection[K]): string | null => FIELDS[name].write(value);

function readField(name: keyof Selection, text: string): Partial<Selection> {
  const value = FIELDS[name].read(text);
  return value === undefined ? {} : { [name]: value };
}

/** `key=value` parts, default values left out. */
export function encodeSelection(selection: Selection): string[] {
  return FIELD_NAMES.flatMap((name) => {
    const text = writeField(name, selection[name]);
    return text === null ? [] : [`${HASH_PREFIX}${FIELDS[name].key}=${encodeURIComponent(text)}`];
  });
}

/** `standard`: what the hash leaves unsaid. */
export function decodeSelection(hash: string, standard = DEFAULT_SELECTION): Selection {
  const values = new Map<string, string>();
  for (const part of hashParts(hash)) {
    const equals = part.indexOf("=");
    if (!part.startsWith(HASH_PREFIX) || equals < 0) continue;
    try {
      values.set(part.slice(HASH_PREFIX.length, equals), decodeURIComponent(part.slice(equals + 1)));
    } catch {
      // A malformed escape: the field keeps its default.
    }
  }
  let selection = standard;
  for (const name of FIELD_NAMES) {
    const text = values.get(FIELDS[name].key);
    if (text !== undefined) selection = { ...selection, ...readField(name, text) };
  }
  return selection;
}

function hashParts(hash: string): string[] {
  return hash.replace(/^#/, "").split("&").filter((part) => part !== "");
}

/** The hash with our keys replaced and everything else (TensorBoard's own) left as it was. */
export function mergeHash(hash: string, selection: Selection): string {
  const others = hashParts(hash).filter((part) => !part.startsWith(HASH_PREFIX));
  const parts = [...others, ...encodeSelection(selection)];
  return parts.length > 0 ? `#${parts.join("&")}` : "";
}
