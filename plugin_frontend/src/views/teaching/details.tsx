// What is behind a step: its sentence, the products of one key, the output, and whether it all comes out right.
import { formatNumber } from "../../base/format";
import { agreement, largestTerms, type AttentionSteps, type StepName } from "../../data/attention_steps";
import type { RowVectors } from "../../data/vectors";
import { t } from "../../text/table";
import { barExtent, barOf } from "./columns";
import { isUsualScale } from "./formula";

const MOST_TERMS = 8;

interface Row {
  readonly vectors: RowVectors;
  readonly steps: AttentionSteps;
}

function aboutMask({ vectors, steps }: Row): string {
  if (steps.blind) return t("teachBlind");
  const { keys, masked } = vectors;
  const n = masked?.reduce((sum, one) => sum + one, 0) ?? 0;
  return n === 0 ? t("teachAboutNoMask", { keys }) : t("teachAboutMask", { n, keys });
}

function aboutSoftmax({ vectors, steps }: Row): string[] {
  if (steps.blind) return [t("teachBlind")];
  const { largest, sum, sinkPower } = steps;
  const said = [t("teachAboutSoftmax", { largest: formatNumber(largest), sum: formatNumber(sum) })];
  if (vectors.sink !== null) said.push(t("teachSink", { power: formatNumber(sinkPower) }));
  return said;
}

/** What a step does, with the numbers of this layer. */
export function aboutStep(name: StepName, row: Row): string[] {
  const { size: d, valueSize, scale, scaleFitted, softcap } = row.vectors;
  switch (name) {
    case "product":
      return [t("teachAboutProduct", { d })];
    case "scale": {
      const root = formatNumber(Math.sqrt(d));
      const about = isUsualScale(row.vectors)
        ? t("teachAboutScale", { d, root })
        : t("teachAboutOwnScale", { d, scale: formatNumber(scale) });
      return scaleFitted ? [about, t("teachScaleFitted")] : [about];
    }
    case "cap":
      return [t("teachAboutCap", { cap: formatNumber(softcap) })];
    case "bias":
      return [t("teachAboutBias")];
    case "mask":
      return [aboutMask(row)];
    case "softmax":
      return aboutSoftmax(row);
    case "output":
      return [t("teachAboutOutput", { d: valueSize })];
  }
}

/** Whether the recomputed weights are the stored ones. */
export function Verdict({ vectors, steps }: Row): preact.JSX.Element {
  const found = agreement(steps, vectors);
  if (found === null) return <p class="agreement" data-testid="teach-verdict">{t("teachNothingStored")}</p>;
  const said = { difference: formatNumber(found.difference), key: found.key, rounding: formatNumber(found.rounding), n: found.beyond };
  const agrees = found.beyond === 0;
  const text = t(steps.blind ? "teachBlindDifference" : agrees ? "teachAgree" : "teachDisagree", said);
  return (
    <p
      class="agreement"
      data-agrees={steps.blind ? undefined : agrees}
      data-difference={found.difference}
      data-testid="teach-verdict"
    >
      {steps.blind ? "" : agrees ? "✓ " : "✗ "}
      {text}
    </p>
  );
}

/** The products q_i k_i of one key. */
export function Terms({ vectors, steps, chosen, name }: Row & { readonly chosen: number; readonly name: string }): preact.JSX.Element {
  const { terms, rest } = largestTerms(vectors, chosen, MOST_TERMS);
  const extent = barExtent(Float64Array.from(terms, ({ product }) => product));
  return (
    <table class="terms" data-testid="teach-terms">
      <caption>{t("teachTermsOf", { key: chosen, token: name, d: vectors.size })}</caption>
      <thead>
        <tr>
          <th scope="col">i</th>
          <th scope="col">q<sub>i</sub></th>
          <th scope="col">k<sub>i</sub></th>
          <th scope="col">q<sub>i</sub> k<sub>i</sub></th>
        </tr>
      </thead>
      <tbody>
        {terms.map(({ dimension, left, right, product }) => {
          const bar = barOf(extent, product);
          return (
            <tr key={dimension}>
              <td>{dimension + 1}</td>
              <td>{formatNumber(left)}</td>
              <td>{formatNumber(right)}</td>
              <td data-fresh="true">
                {bar !== null && <i class="bar" data-sign={product < 0 ? "minus" : "plus"} style={{ "--start": bar.start, "--length": bar.length }} />}
                <span>{formatNumber(product)}</span>
              </td>
            </tr>
          );
        })}
        {vectors.size > terms.length && (
          <tr>
            <td colSpan={3}>{t("teachTermRest", { n: vectors.size - terms.length })}</td>
            <td>
              <span>{formatNumber(rest)}</span>
            </td>
          </tr>
        )}
      </tbody>
      <tfoot>
        <tr>
          <th colSpan={3} scope="row">{t("teachTermSum")}</th>
          <td>{formatNumber(steps.products[chosen] ?? NaN)}</td>
        </tr>
      </tfoot>
    </table>
  );
}

/** The output of the head, and what one key gives to it. */
export function Output({ vectors, steps, chosen }: Row & { readonly chosen: number }): preact.JSX.Element {
  const weight = steps.weights[chosen] ?? NaN;
  const extent = barExtent(steps.output);
  return (
    <div class="output" tabIndex={0} role="region" aria-label={t("teachOutputOf", { n: vectors.valueSize })} data-keys="scroll" data-testid="teach-output">
      <table class="terms">
        <caption>{t("teachOutputOf", { n: vectors.valueSize })}</caption>
        <thead>
          <tr>
            <th scope="col">i</th>
            <th scope="col">{t("teachOutputPart", { key: chosen })}</th>
            <th scope="col">o<sub>i</sub></th>
          </tr>
        </thead>
        <tbody>
          {Array.from(steps.output, (value, i) => {
            const bar = barOf(extent, value);
            return (
              <tr key={i}>
                <td>{i + 1}</td>
                <td>{formatNumber(weight * (vectors.v[chosen * vectors.valueSize + i] ?? NaN))}</td>
                <td data-fresh="true">
                  {bar !== null && <i class="bar" data-sign={value < 0 ? "minus" : "plus"} style={{ "--start": bar.start, "--length": bar.length }} />}
                  <span>{formatNumber(value)}</span>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
