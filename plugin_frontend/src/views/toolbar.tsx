// First row of the Attention view: pins and difference on the left, colours on the right.
import { formatCount } from "../base/format";
import { useApp } from "../frame/context";
import { isAbsent } from "../state/resolve";
import { PEAK_NAMES, POOL_NAMES, SCALE_NAMES, type Pin } from "../state/selection";
import { elideMiddle, shownText } from "../text/format";
import { t, type TextKey } from "../text/table";
import { ColourBar } from "./colour_bar";

const NAMES: Readonly<Record<string, TextKey>> = {
  sqrt: "scaleSqrt",
  linear: "scaleLinear",
  head: "peakHead",
  absolute: "peakAbsolute",
  max: "poolMax",
  mean: "poolMean",
};

interface ChoiceProps<T extends string | number> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly T[];
  readonly name: (option: T) => string;
  readonly onChange: (option: T) => void;
  readonly testId: string;
  /** The options speak for themselves; the label is for screen readers and the tooltip. */
  readonly quiet?: boolean;
}

export function Choice<T extends string | number>(props: ChoiceProps<T>): preact.JSX.Element {
  const { label, value, options, name, onChange, testId, quiet = false } = props;
  return (
    <label class="control" title={label}>
      <span class={quiet ? "visually-hidden" : undefined}>{label}</span>
      <select
        value={String(value)}
        data-testid={testId}
        onChange={(event) => {
          const chosen = options.find((option) => String(option) === event.currentTarget.value);
          if (chosen !== undefined) onChange(chosen);
        }}
      >
        {options.map((option) => (
          <option key={option} value={String(option)}>
            {name(option)}
          </option>
        ))}
      </select>
    </label>
  );
}

const named = (option: string): string => {
  const key = NAMES[option];
  return key === undefined ? option : t(key);
};

interface PinProps {
  readonly pin: "a" | "b";
  /** Something on screen compares A with B: a pin that was not set stands for something there. */
  readonly compared: boolean;
}

export function PinButton({ pin, compared }: PinProps): preact.JSX.Element {
  const { store } = useApp();
  const set: Pin | null = store.selection.value[pin];
  const letter = pin.toUpperCase();
  const standIn = set === null && compared ? store.pins.value?.[pin] : undefined;
  const shown = set ?? standIn;
  const label = shown === undefined ? t("pinNotSet") : `${elideMiddle(shown.run, 18)} · ${formatCount(shown.step)}`;
  const absent = isAbsent(store.index.value, set);
  const name = t(pin === "a" ? "pinA" : "pinB");
  const unset = standIn === undefined ? t("pinNotSet") : t("pinUnset", { run: shownText(standIn.run), step: formatCount(standIn.step) });
  const title =
    set === null
      ? `${name}: ${unset}`
      : t(absent ? "pinAbsentTitle" : "pinTitle", { pin: letter, run: shownText(set.run), step: formatCount(set.step) });
  const said = set === null ? unset : t(absent ? "pinAbsent" : "pinSet", { run: set.run, step: set.step });
  return (
    <button
      type="button"
      class="pin-button"
      aria-pressed={set !== null}
      aria-label={`${name}: ${said}`}
      title={title}
      data-testid={`pin-${pin}`}
      style={{ "--run": set === null || absent ? "transparent" : store.colours.value.get(set.run) }}
      onClick={() => store.pin(pin)}
    >
      <b>{letter}</b> <bdi class={set === null ? "muted" : "run-name"} data-absent={absent}>{label}</bdi>
    </button>
  );
}

interface Props {
  readonly differenceLimit: number;
  /** Something on screen stands for blocks of weights. */
  readonly pooled: boolean;
}

export function Toolbar({ differenceLimit, pooled }: Props): preact.JSX.Element {
  const { store } = useApp();
  const { scale, peak, pool, difference, table } = store.selection.value;
  return (
    <div class="toolbar" role="group" aria-label={t("colours")}>
      <div class="group">
        <PinButton pin="a" compared={difference} />
        <PinButton pin="b" compared={difference} />
        <button
          type="button"
          aria-pressed={difference}
          title={`${t("differenceTitle")}  D`}
          data-testid="difference"
          onClick={() => store.update({ difference: !difference })}
        >
          B − A
        </button>
        <button type="button" title={t("againstFirstTitle")} data-testid="against-first" onClick={() => store.compareWithFirst()}>
          {t("againstFirst")}
        </button>
        <button
          type="button"
          aria-pressed={table}
          title={`${t("tableTitle")}  T`}
          data-testid="table-toggle"
          onClick={() => store.update({ table: !table })}
        >
          {t("table")}
        </button>
      </div>
      <div class="group">
        <Choice label={t("scaleLabel")} value={scale} options={SCALE_NAMES} name={named} testId="scale"
          onChange={(next) => store.update({ scale: next })} />
        <Choice label={t("peakLabel")} value={peak} options={PEAK_NAMES} name={named} testId="peak"
          onChange={(next) => store.update({ peak: next })} />
        {pooled && (
          <Choice label={`${t("poolLabel")}  M`} quiet value={pool} options={POOL_NAMES} name={named} testId="pool"
            onChange={(next) => store.update({ pool: next })} />
        )}
        <ColourBar differenceLimit={differenceLimit} />
      </div>
    </div>
  );
}
