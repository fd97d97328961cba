// How components reach the application's state.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { HeadsLoader } from "../state/heads_loader";
import type { Loader } from "../state/loader";
import type { Store } from "../state/store";

export interface App {
  readonly store: Store;
  readonly loader: Loader;
  readonly heads: HeadsLoader;
}

export const AppContext = createContext<App | null>(null);

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === null) throw new Error("Render this component inside <AppContext.Provider>.");
  return app;
}
