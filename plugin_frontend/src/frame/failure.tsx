// A view that throws shows a sentence in its place; the rest of the page goes on.
import { Component, type ComponentChildren } from "preact";
import { t } from "../text/table";

interface Props {
  /** A change of this value gives the children another chance. */
  readonly resetKey: string;
  readonly children: ComponentChildren;
}

interface State {
  readonly error: string | null;
  readonly at: string;
}

export class FailureGuard extends Component<Props, State> {
  override state: State = { error: null, at: "" };

  override componentDidCatch(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.setState({ error: reason, at: this.props.resetKey });
  }

  override render(): ComponentChildren {
    if (this.state.error !== null && this.state.at === this.props.resetKey) {
      return <Failure text={t("crashed", { reason: this.state.error })} />;
    }
    return this.props.children;
  }
}

interface FailureProps {
  readonly text: string;
  readonly retry?: () => void;
}

/** One sentence: why there is nothing to show, however often the server is asked. */
export function Refusal({ text }: { readonly text: string }): preact.JSX.Element {
  return <p class="placeholder" role="alert" dir="auto">{text}</p>;
}

/** One sentence: what failed and what to do. */
export function Failure({ text, retry }: FailureProps): preact.JSX.Element {
  return (
    <div class="failure" role="alert" data-testid="failure">
      <span dir="auto">{text}</span>
      {retry !== undefined && (
        <button type="button" onClick={retry}>
          {t("retry")}
        </button>
      )}
    </div>
  );
}
