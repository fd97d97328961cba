// Which numbers stand in the table at each step.
import { formatNumber } from "../../base/format";
import type { AttentionSteps, StepName } from "../../data/attention_steps";
import type { RowVectors } from "../../data/vectors";
import { t, type TextKey } from "../../text/table";

export interface Column {
  readonly id: string;
  readonly title: TextKey;
  readonly values: Float64Array;
  /** It came with the step that is shown. */
  readonly fresh: boolean;
}

type Made = readonly (readonly [id: string, title: TextKey, values: Float64Array])[];

function made(steps: AttentionSteps, name: StepName): Made {
  switch (name) {
    case "product":
      return [["product", "teachColumnProduct", steps.products]];
    case "scale":
      return [["scale", "teachColumnScale", steps.scaled]];
    case "cap":
      return steps.capped === null ? [] : [["cap", "teachColumnCap", steps.capped]];
    case "bias":
      return steps.biased === null ? [] : [["bias", "teachColumnBias", steps.biased]];
    case "mask":
      return [["mask", "teachColumnMask", steps.logits]];
    case "softmax":
      return [
        ["power", "teachColumnPower", steps.powers],
        ["weight", "teachColumnWeight", steps.weights],
      ];
    case "output":
      return [["part", "teachColumnPart", steps.contributions]];
  }
}

/** What the last steps are made of; with every number before them the table would not fit beside the formula. */
const LATE: Partial<Record<StepName, readonly string[]>> = {
  softmax: ["product", "scale", "mask", "power", "weight"],
  output: ["product", "mask", "weight", "part"],
};

/** The numbers of the steps up to one. */
export function columnsOf(steps: AttentionSteps, at: StepName): Column[] {
  const upTo = steps.names.slice(0, steps.names.indexOf(at) + 1);
  const all = upTo.flatMap((name) => made(steps, name).map(([id, title, values]) => ({ id, title, values, fresh: name === at })));
  return all.filter(({ id }) => LATE[at]?.includes(id) ?? true);
}

export interface Extent {
  readonly low: number;
  readonly high: number;
}

/** What bars are drawn in: 0 and all that is finite. */
export function barExtent(values: Float64Array): Extent {
  let [low, high] = [0, 0];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return { low, high };
}

/** Where a bar begins and how long it is, both of 1; null where there is none to draw. */
export function barOf({ low, high }: Extent, value: number): { readonly start: number; readonly length: number } | null {
  if (!Number.isFinite(value) || value === 0 || high <= low) return null;
  const start = (Math.min(0, value) - low) / (high - low);
  return { start, length: Math.abs(value) / (high - low) };
}

/** A number as it stands in the table. */
export function cellText({ id, values }: Column, key: number, { masked }: Pick<RowVectors, "masked">): string {
  const number = formatNumber(values[key] ?? NaN);
  return id === "mask" && masked?.[key] === 1 ? `${number} ${t("teachMasked")}` : number;
}

/** The numbers of every step, one column each. */
export function everyColumn(steps: AttentionSteps): Column[] {
  return steps.names.flatMap((name) => made(steps, name).map(([id, title, values]) => ({ id, title, values, fresh: false })));
}
