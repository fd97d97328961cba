// What the colours stand for; a click or a drag on it sets where the scale ends.
import { useRef } from "preact/hooks";
import { formatNumber, formatPercent } from "../base/format";
import { useApp } from "../frame/context";
import { cssGradient, diverging, sequential } from "../render/colormap";
import { exposedAt, exposureByKey, fromMiddle } from "../state/exposure";
import { t } from "../text/table";

interface BarProps {
  readonly low: string;
  readonly high: string;
  readonly background: string;
  readonly signed: boolean;
}

function Bar({ low, high, background, signed }: BarProps): preact.JSX.Element {
  const { store } = useApp();
  const { exposure, scale } = store.selection.value;
  // While the pointer is down places are those of the bar as it was when it went down.
  const pressed = useRef<number | null>(null);
  const expose = (event: PointerEvent & { readonly currentTarget: HTMLElement }): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const place = (event.clientX - left) / Math.max(1, width);
    store.update({ exposure: exposedAt(signed ? fromMiddle(place) : place, pressed.current ?? exposure, scale) });
  };
  return (
    <span class="colour-bar">
      <i>{low}</i>
      <span
        class="colours"
        role="slider"
        tabIndex={0}
        aria-label={t("exposureLabel")}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Number((100 / exposure).toPrecision(3))}
        aria-valuetext={t("colourBar", { low, high })}
        title={t("exposureTitle")}
        data-testid={signed ? "expose-difference" : "expose"}
        style={{ background }}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          pressed.current = exposure;
          event.currentTarget.setPointerCapture(event.pointerId);
          expose(event);
        }}
        onPointerMove={(event) => pressed.current !== null && expose(event)}
        onPointerUp={() => (pressed.current = null)}
        onPointerCancel={() => (pressed.current = null)}
        onDblClick={() => store.update({ exposure: 1 })}
        onKeyDown={(event) => {
          const next = exposureByKey(event.key, exposure);
          if (next === undefined) return;
          event.preventDefault();
          store.update({ exposure: next });
        }}
      />
      <i>{high}</i>
    </span>
  );
}

export function ColourBar({ differenceLimit }: { readonly differenceLimit: number }): preact.JSX.Element {
  const { store } = useApp();
  const { difference, exposure, peak } = store.selection.value;
  const dark = store.dark.value;
  const largest = exposure === 1 ? t("largest") : t("ofLargest", { share: formatPercent(1 / exposure) });
  const limit = formatNumber(differenceLimit / exposure);
  return (
    <div class="colour-bars" data-testid="colour-bar">
      <Bar low="0" high={peak === "absolute" ? formatNumber(1 / exposure) : largest} background={cssGradient(sequential(dark))} signed={false} />
      {difference && <Bar low={`−${limit}`} high={`+${limit}`} background={cssGradient(diverging(dark))} signed />}
    </div>
  );
}
