// What the page calls a severity.
import { Severity } from "../data/types";
import type { TextKey } from "../text/table";

export const SEVERITY: Readonly<Record<Severity, { readonly text: TextKey; readonly glyph: string; readonly name: string }>> = {
  [Severity.ERROR]: { text: "severityError", glyph: "✕", name: "error" },
  [Severity.WARNING]: { text: "severityWarning", glyph: "!", name: "warning" },
  [Severity.INFO]: { text: "severityInfo", glyph: "i", name: "info" },
  [Severity.NONE]: { text: "severityInfo", glyph: "i", name: "info" },
};
