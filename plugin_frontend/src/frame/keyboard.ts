// The page's keys: one listener, from key to action to state.
import { Disposables } from "../base/disposables";
import { actionOf, moveHead, type Action, type KeyFacts } from "../state/keys";
import { hashWindow } from "../state/hosthash";
import type { Store } from "../state/store";
import { moveTeaching, toggleTeaching } from "../state/teaching_moves";

function targetKind(target: EventTarget | null): KeyFacts["target"] {
  if (!(target instanceof Element)) return "page";
  if (target.closest("[data-keys=page]") !== null) return "page";
  if (target.closest("[role=slider]") !== null) return "slider";
  if (target.closest("[data-keys=scroll]") !== null) return "control";
  if (target.closest("[role=tab],[role=dialog]") !== null) return "control";
  if (target.closest("textarea,input:not([type=checkbox]):not([type=radio])") !== null) return "text";
  if (target.closest("button,select,input,a[href],summary") !== null) return "control";
  return "page";
}

function move(store: Store, action: Parameters<typeof moveHead>[2]): void {
  const at = store.lockedHead.peek() ?? store.head.peek();
  if (at === null) return;
  store.hover.value = {};
  store.update(moveHead(store.headRows.peek(), at, action));
}

/** Of the part in sight: most of it stays, so that the eye can follow. */
const PAN = 0.25;

const PERFORM: Readonly<Record<Action, (store: Store) => void>> = {
  headLeft: (store) => move(store, "headLeft"),
  headRight: (store) => move(store, "headRight"),
  layerUp: (store) => move(store, "layerUp"),
  layerDown: (store) => move(store, "layerDown"),
  stepBack: (store) => store.moveStep(-1),
  stepForward: (store) => store.moveStep(1),
  stepFirst: (store) => store.moveStep(-Infinity),
  stepLast: (store) => store.moveStep(Infinity),
  pinA: (store) => store.pin("a"),
  pinB: (store) => store.pin("b"),
  difference: (store) => store.update({ difference: !store.selection.peek().difference }),
  table: (store) => store.update({ table: !store.selection.peek().table }),
  pool: (store) => store.update({ pool: store.selection.peek().pool === "max" ? "mean" : "max" }),
  sinks: (store) => store.updateLens({ sinks: store.selection.peek().lens.sinks === "aside" ? "shown" : "aside" }),
  overTime: (store) => store.update({ multiples: { on: !store.selection.peek().multiples.on } }),
  queryUp: (store) => store.moveToken("query", -1),
  queryDown: (store) => store.moveToken("query", 1),
  keyLeft: (store) => store.moveToken("key", -1),
  keyRight: (store) => store.moveToken("key", 1),
  zoomIn: (store) => store.viewports.lead()?.zoom(1.5),
  zoomOut: (store) => store.viewports.lead()?.zoom(1 / 1.5),
  zoomFit: (store) => store.viewports.move(null),
  panLeft: (store) => store.viewports.lead()?.pan(-PAN, 0),
  panRight: (store) => store.viewports.lead()?.pan(PAN, 0),
  panUp: (store) => store.viewports.lead()?.pan(0, -PAN),
  panDown: (store) => store.viewports.lead()?.pan(0, PAN),
  play: (store) => (store.playing.value = !store.playing.peek()),
  exportMenu: (store) => (store.exportOpen.value = !store.exportOpen.peek()),
  teach: (store) => toggleTeaching(store),
  teachBack: (store) => moveTeaching(store, -1),
  teachNext: (store) => moveTeaching(store, 1),
  help: (store) => (store.helpOpen.value = !store.helpOpen.peek()),
  release: (store) => store.release(),
};

const MOVES: readonly Action[] = ["headLeft", "headRight", "layerUp", "layerDown"];
const PANS: readonly Action[] = ["panLeft", "panRight", "panUp", "panDown"];

/** Whether the event comes from the keyboard; `instanceof` would say no to the host window's events. */
function isKey(event: Event): event is KeyboardEvent {
  return "key" in event && typeof event.key === "string";
}

function press(event: Event, store: Store): void {
  if (!isKey(event) || event.defaultPrevented) return;
  const action = actionOf({
    key: event.key,
    ctrlKey: event.ctrlKey,
    metaKey: event.metaKey,
    altKey: event.altKey,
    shiftKey: event.shiftKey,
    target: targetKind(event.target),
  });
  if (action === undefined) return;
  const hasHeads = ["attention", "heads"].includes(store.resolved.peek().view);
  // In the other views the arrows scroll, as everywhere.
  if (MOVES.includes(action) && (!hasHeads || store.helpOpen.peek())) return;
  // Without a large map they select text, as everywhere.
  if (PANS.includes(action) && (store.viewports.lead() === null || store.helpOpen.peek())) return;
  event.preventDefault();
  PERFORM[action](store);
}

/** The page's own keys, and the host's while nothing there has the focus and this page is in front. */
export function listenToKeys(own: Window, store: Store): Disposables {
  const life = new Disposables();
  life.listen(own.document, "keydown", (event) => press(event, store));
  const host = hashWindow(own);
  if (host === own) return life;
  life.listen(host.document, "keydown", (event) => {
    const frame = own.frameElement;
    const shown = frame !== null && frame.isConnected && frame.getClientRects().length > 0;
    if (shown && event.target === host.document.body) press(event, store);
  });
  // TensorBoard throws the frame away when its list of plugins changes.
  life.listen(own, "pagehide", () => life.dispose());
  return life;
}
