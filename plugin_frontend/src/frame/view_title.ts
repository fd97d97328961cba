// What the views are called.
import type { ViewName } from "../state/selection";
import type { TextKey } from "../text/table";

export const VIEW_TITLE: Readonly<Record<ViewName, TextKey>> = {
  attention: "viewAttention",
  heads: "viewHeads",
  attributions: "viewAttributions",
  anomalies: "viewAnomalies",
};
