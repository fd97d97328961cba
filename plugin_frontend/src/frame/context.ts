// How components reach the application's state.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { LensLoader } from "../state/lens_loader";
import type { HeadsLoader } from "../state/heads_loader";
import type { Loader } from "../state/loader";
import type { MultiplesLoader } from "../state/multiples_loader";
import type { SimilarLoader } from "../state/similar_loader";
import type { Store } from "../state/store";
import type { TeachingLoader } from "../state/teaching_loader";

export interface App {
  readonly store: Store;
  readonly loader: Loader;
  readonly heads: HeadsLoader;
  readonly teaching: TeachingLoader;
  readonly lens: LensLoader;
  readonly multiples: MultiplesLoader;
  readonly similar: SimilarLoader;
  /** The folder of the server's routes; null in a saved page. */
  readonly base: URL | null;
}

export const AppContext = createContext<App | null>(null);

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === null) throw new Error("Render this component inside <AppContext.Provider>.");
  return app;
}
