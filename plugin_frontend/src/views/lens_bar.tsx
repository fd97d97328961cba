// How the head in focus is looked at: sinks, edges, and what stands beside the raw weights.
import { useApp } from "../frame/context";
import { LEAST_MASS, type LensName } from "../state/lens";
import { t, type TextKey } from "../text/table";

function SinksButton(): preact.JSX.Element {
  const { store } = useApp();
  const { sinks } = store.selection.value.lens;
  return (
    <button
      type="button"
      aria-pressed={sinks === "aside"}
      title={`${t("sinksTitle")}  S`}
      data-testid="sinks"
      onClick={() => store.updateLens({ sinks: sinks === "aside" ? "shown" : "aside" })}
    >
      {t("sinksAside")}
    </button>
  );
}

/** From one edge per row up to all of them. */
function MassSlider({ possible }: { readonly possible: boolean }): preact.JSX.Element {
  const { store } = useApp();
  const { mass } = store.selection.value.lens;
  const said = mass >= 100 ? t("edgesAll") : `${mass} %`;
  return (
    <label class="control mass" title={possible ? t("edgesTitle") : t("edgesBlocks")}>
      <span>{t("edgesLabel")}</span>
      <input
        type="range"
        role="slider"
        min={LEAST_MASS}
        max={100}
        step={1}
        value={mass}
        disabled={!possible}
        aria-valuetext={said}
        data-testid="mass"
        onInput={(event) => store.updateLens({ mass: Number(event.currentTarget.value) })}
        onDblClick={() => store.updateLens({ mass: 100 })}
      />
      <output>{said}</output>
    </label>
  );
}

const CHIPS: readonly (readonly [LensName, TextKey, TextKey])[] = [
  ["value", "valueChip", "valueFormula"],
  ["mean", "meanChip", "meanFormula"],
  ["rollout", "rolloutChip", "rolloutFormula"],
];

/** One at a time; the same again takes it away. */
function LensChips(): preact.JSX.Element {
  const { store } = useApp();
  const { lens } = store.selection.value.lens;
  return (
    <div class="group" role="group" aria-label={t("lensTitle")}>
      <span class="muted">{t("lensLabel")}</span>
      {CHIPS.map(([name, label, title]) => (
        <button
          key={name}
          type="button"
          aria-pressed={lens === name}
          title={t(title)}
          data-testid={`lens-${name}`}
          onClick={() => store.chooseLens(lens === name ? "none" : name)}
        >
          {t(label)}
        </button>
      ))}
    </div>
  );
}

interface Props {
  /** Some panel holds weights one by one, not only blocks of them. */
  readonly exact: boolean;
}

export function LensBar({ exact }: Props): preact.JSX.Element {
  return (
    <>
      <div class="group">
        <SinksButton />
        <MassSlider possible={exact} />
      </div>
      <LensChips />
    </>
  );
}
