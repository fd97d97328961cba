// How a large map is shown until somebody says otherwise.
import type { FocusOptions } from "./types";

export const defaultFocusOptions: FocusOptions = {
  normalisation: "head",
  belowFloor: false,
  companding: "sqrt",
  exposure: 1,
  differenceLimit: 1,
  dark: false,
  hovered: null,
  locked: null,
  queryTitle: "",
  keyTitle: "",
  asideTitle: "",
  leastLeft: 0,
  leastTop: 0,
};
