// Colours of what stands around the weights. The application's style sheet uses the same.

export interface RenderTheme {
  /** Behind everything, and where there is no weight to show. */
  readonly ground: string;
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly hovered: string;
  readonly locked: string;
  readonly hatch: string;
  readonly warning: string;
  /** The pins A and B. */
  readonly pin: string;
  /** Frame of a head that differs between A and B. */
  readonly distance: string;
  /** Under hatching: "there is nothing here", distinct from a weight of zero. */
  readonly absent: string;
  readonly font: string;
}

const font = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';

const light: RenderTheme = {
  ground: "#ffffff",
  text: "#1f2329",
  muted: "#646b75",
  line: "#d5d9df",
  hovered: "#1f2329",
  locked: "#d9480f",
  hatch: "#8b929c",
  warning: "#b42318",
  pin: "#0b62d6",
  distance: "#9c36b5",
  absent: "#f1f3f5",
  font,
};

const dark: RenderTheme = {
  ground: "#1b1d21",
  text: "#e7e9ec",
  muted: "#a0a7b1",
  line: "#3a3f47",
  hovered: "#f4f5f7",
  locked: "#ff922b",
  hatch: "#757d88",
  warning: "#ff8a80",
  pin: "#74aaff",
  distance: "#e599f7",
  absent: "#25282d",
  font,
};

export function renderTheme(isDark: boolean): RenderTheme {
  return isDark ? dark : light;
}
