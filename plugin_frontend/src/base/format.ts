// Numbers as the page shows them. Independent of the browser's locale, so that screenshots and copied
// values are the same everywhere.

const minus = "\u2212";

function sign(value: number): string {
  return value < 0 ? minus : "";
}

/** Three significant digits: 0.0123, 1.23, 12.3, 1230, 1.23e6, and 0.00002 as 2.00e-5. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value < 0 ? `${minus}∞` : "∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const rounded = Number(size.toPrecision(3));
  if (rounded >= 1e5 || rounded < 1e-3) return sign(value) + exponential(rounded);
  if (rounded >= 1000) return sign(value) + String(rounded);
  return sign(value) + rounded.toPrecision(3);
}

function exponential(size: number): string {
  return size.toExponential(2).replace("e+", "e").replace("-", minus);
}

/** 0.614 as "61.4 %"; never "100 %" or "0 %" for what is not exactly that. */
export function formatPercent(fraction: number): string {
  if (!Number.isFinite(fraction)) return formatNumber(fraction);
  const percent = fraction * 100;
  if (percent === 0 || percent === 100) return `${percent} %`;
  const size = Math.abs(percent);
  if (size < 0.1) return percent > 0 ? "< 0.1 %" : `> ${minus}0.1 %`;
  if (percent > 99.9 && percent < 100) return "> 99.9 %";
  return `${sign(percent)}${size.toFixed(size < 10 ? 2 : 1)} %`;
}

/** 1234567 as "1,234,567". */
export function formatCount(value: number): string {
  return sign(value) + String(Math.abs(Math.round(value))).replace(/\B(?=(\d{3})+$)/g, ",");
}

const units = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit] ?? "B"}`;
}
