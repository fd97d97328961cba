// The page's keys: one listener, from key to action to state.
import { Disposables } from "../base/disposables";
import { actionOf, moveHead, type Action, type KeyFacts } from "../state/keys";
import type { Store } from "../state/store";

function targetKind(target: EventTarget | null): KeyFacts["target"] {
  if (!(target instanceof Element)) return "page";
  if (target.closest("[data-keys=page]") !== null) return "page";
  if (target.closest("[role=slider]") !== null) return "slider";
  if (target.closest("[role=tab],[role=dialog]") !== null) return "control";
  if (target.closest("textarea,input:not([type=checkbox]):not([type=radio])") !== null) return "text";
  if (target.closest("button,select,input,a[href],summary") !== null) return "control";
  return "page";
}

export function perform(store: Store, action: Action): void {
  switch (action) {
    case "headLeft":
    case "headRight":
    case "layerUp":
    case "layerDown": {
      const at = store.lockedHead.peek() ?? store.head.peek();
      if (at !== null) {
        store.hover.value = {};
        store.update(moveHead(store.headRows.peek(), at, action));
      }
      return;
    }
    case "stepBack":
      return store.moveStep(-1);
    case "stepForward":
      return store.moveStep(1);
    case "stepFirst":
      return store.moveStep(-Infinity);
    case "stepLast":
      return store.moveStep(Infinity);
    case "pinA":
      return store.pin("a");
    case "pinB":
      return store.pin("b");
    case "difference":
      return store.update({ difference: !store.selection.peek().difference });
    case "table":
      return store.update({ table: !store.selection.peek().table });
    case "play":
      store.playing.value = !store.playing.peek();
      return;
    case "help":
      store.helpOpen.value = !store.helpOpen.peek();
      return;
    case "release":
      return store.release();
  }
}

const MOVES: readonly Action[] = ["headLeft", "headRight", "layerUp", "layerDown"];

export function listenToKeys(target: EventTarget, store: Store): Disposables {
  const life = new Disposables();
  life.listen(target, "keydown", (event) => {
    if (!(event instanceof KeyboardEvent) || event.defaultPrevented) return;
    const action = actionOf({
      key: event.key,
      ctrlKey: event.ctrlKey,
      metaKey: event.metaKey,
      altKey: event.altKey,
      target: targetKind(event.target),
    });
    if (action === undefined) return;
    const inAttention = store.resolved.peek().view === "attention";
    // In the other views the arrows scroll, as everywhere.
    if (MOVES.includes(action) && (!inAttention || store.helpOpen.peek())) return;
    event.preventDefault();
    perform(store, action);
  });
  return life;
}
