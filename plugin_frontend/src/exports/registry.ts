// What is on screen and can be saved. Each part of a view enters what it shows, as it is drawn; the menu
// reads it when it opens.
import type { Table } from "./csv";
import type { Figure, Measure } from "./figure";
import type { NumberArray } from "./npy";

/** Headings of the menu, in its order. */
export const sections = ["focus", "grid", "strips", "table"] as const;
export type Section = (typeof sections)[number];

/** Numbers as an array, made only when it is asked for. */
export interface ExportableArray {
  /** What its axes stand for, in words: the file itself does not say. */
  readonly axes: string;
  readonly make: () => NumberArray;
}

export interface Exportable {
  /** Unique in the page, and the order within a section. */
  readonly id: string;
  readonly section: Section;
  readonly title: string;
  /** Of the file's name, the general ones first. */
  readonly parts: readonly string[];
  /** Made only when asked for. */
  readonly figure?: (measure: Measure) => Promise<Figure>;
  readonly table?: () => Table;
  readonly array?: ExportableArray;
}

export const formats = ["png", "svg", "csv", "npy"] as const;
export type Format = (typeof formats)[number];

export function formatsOf({ figure, table, array }: Exportable): Format[] {
  const has: Readonly<Record<Format, boolean>> = {
    png: figure !== undefined,
    svg: figure !== undefined,
    csv: table !== undefined,
    npy: array !== undefined,
  };
  return formats.filter((format) => has[format]);
}

export class Exportables {
  private readonly entries = new Map<string, Exportable>();

  /** Enters (or replaces) something; returns what takes it away again. */
  enter(entry: Exportable): () => void {
    this.entries.set(entry.id, entry);
    return () => {
      if (this.entries.get(entry.id) === entry) this.entries.delete(entry.id);
    };
  }

  list(): Exportable[] {
    const rank = ({ section }: Exportable): number => sections.indexOf(section);
    return [...this.entries.values()].sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1));
  }
}
