// The formula of each step, as MathML: read aloud by screen readers, set by the browser.
import type { StepName } from "../../data/attention_steps";
import type { RowVectors } from "../../data/vectors";
import { t } from "../../text/table";

type Element = preact.JSX.Element;

const sub = (base: string, index: string): Element => (
  <msub>
    <mi>{base}</mi>
    <mi>{index}</mi>
  </msub>
);

const dotProduct = (): Element => (
  <mrow>
    <mi>q</mi>
    <mo>·</mo>
    {sub("k", "j")}
  </mrow>
);

const power = (base: Element): Element => (
  <mrow>
    <mi>exp</mi>
    <mo>(</mo>
    {base}
    <mo>−</mo>
    <mi>m</mi>
    <mo>)</mo>
  </mrow>
);

/** Whether a layer's scale is that of the paper. */
export function isUsualScale({ scale, size }: Pick<RowVectors, "scale" | "size">): boolean {
  return Math.abs(scale * Math.sqrt(size) - 1) < 1e-6;
}

function Product(): Element {
  return (
    <mrow>
      {dotProduct()}
      <mo>=</mo>
      <munderover>
        <mo>∑</mo>
        <mrow>
          <mi>i</mi>
          <mo>=</mo>
          <mn>1</mn>
        </mrow>
        <mi>d</mi>
      </munderover>
      {sub("q", "i")}
      <msub>
        <mi>k</mi>
        <mrow>
          <mi>j</mi>
          <mo>,</mo>
          <mi>i</mi>
        </mrow>
      </msub>
    </mrow>
  );
}

function Scale({ usual }: { readonly usual: boolean }): Element {
  return (
    <mrow>
      {sub("s", "j")}
      <mo>=</mo>
      {usual ? (
        <mfrac>
          {dotProduct()}
          <msqrt>
            <mi>d</mi>
          </msqrt>
        </mfrac>
      ) : (
        <mrow>
          <mi>α</mi>
          <mo>(</mo>
          {dotProduct()}
          <mo>)</mo>
        </mrow>
      )}
    </mrow>
  );
}

function Cap(): Element {
  return (
    <mrow>
      {sub("c", "j")}
      <mo>=</mo>
      <mi>C</mi>
      <mi>tanh</mi>
      <mo>(</mo>
      <mfrac>
        {sub("s", "j")}
        <mi>C</mi>
      </mfrac>
      <mo>)</mo>
    </mrow>
  );
}

function Mask({ from }: { readonly from: string }): Element {
  const line = (value: Element, when: string): Element => (
    <mtr>
      <mtd>{value}</mtd>
      <mtd>
        <mtext>{when}</mtext>
      </mtd>
    </mtr>
  );
  return (
    <mrow>
      {sub("z", "j")}
      <mo>=</mo>
      <mo>{"{"}</mo>
      <mtable>
        {line(sub(from, "j"), t("teachIfSeen"))}
        {line(<mrow><mo>−</mo><mi>∞</mi></mrow>, t("teachIfMasked"))}
      </mtable>
    </mrow>
  );
}

function Softmax({ sink }: { readonly sink: boolean }): Element {
  return (
    <mrow>
      {sub("w", "j")}
      <mo>=</mo>
      <mfrac>
        {power(sub("z", "j"))}
        <mrow>
          <munder>
            <mo>∑</mo>
            <mi>l</mi>
          </munder>
          {power(sub("z", "l"))}
          {sink && <mo>+</mo>}
          {sink && power(<mi>s</mi>)}
        </mrow>
      </mfrac>
    </mrow>
  );
}

function Largest(): Element {
  return (
    <mrow>
      <mi>m</mi>
      <mo>=</mo>
      <munder>
        <mi>max</mi>
        <mi>l</mi>
      </munder>
      {sub("z", "l")}
    </mrow>
  );
}

function Output(): Element {
  return (
    <mrow>
      <mi>o</mi>
      <mo>=</mo>
      <munder>
        <mo>∑</mo>
        <mi>j</mi>
      </munder>
      {sub("w", "j")}
      {sub("v", "j")}
    </mrow>
  );
}

/** What the value before the mask, or before the bias, is called in the formulas. */
function before({ softcap }: RowVectors): string {
  return softcap === 0 ? "s" : "c";
}

function body(name: StepName, vectors: RowVectors): Element {
  switch (name) {
    case "product":
      return <Product />;
    case "scale":
      return <Scale usual={isUsualScale(vectors)} />;
    case "cap":
      return <Cap />;
    case "bias":
      return (
        <mrow>
          {sub("a", "j")}
          <mo>=</mo>
          {sub(before(vectors), "j")}
          <mo>+</mo>
          {sub("b", "j")}
        </mrow>
      );
    case "mask":
      return <Mask from={vectors.bias === null ? before(vectors) : "a"} />;
    case "softmax":
      return <Softmax sink={vectors.sink !== null} />;
    case "output":
      return <Output />;
  }
}

export function Formula({ name, vectors }: { readonly name: StepName; readonly vectors: RowVectors }): Element {
  return (
    // A font may make it wider than its place; then it is scrolled, by key too.
    <div class="formulas" tabIndex={0} role="group" aria-label={t("teachFormula")} data-keys="scroll" data-testid="teach-formula">
      <math display="inline" displaystyle>{body(name, vectors)}</math>
      {name === "softmax" && (
        <math display="inline" displaystyle>
          <Largest />
        </math>
      )}
    </div>
  );
}
