import { describe, expect, it, vi } from "vitest";
import { currentLink, hashWindow, readHash, replaceHash } from "./hosthash";

function fakeWindow(hash: string, parent?: Window) {
  const replaceState = vi.fn();
  const location = { hash, pathname: "/tb/", search: "?a=1", href: `http://host/tb/?a=1${hash}` };
  const made = { location, history: { state: { kept: true }, replaceState } } as unknown as Window;
  Object.assign(made, { parent: parent ?? made });
  return { window: made, replaceState };
}

describe("the hash that a reader would copy", () => {
  it("is the host's when the page is its guest", () => {
    const host = fakeWindow("#llmdebug&p.llmdebug.layer=2");
    const own = fakeWindow("", host.window);
    expect(readHash(own.window)).toBe("#llmdebug&p.llmdebug.layer=2");
    expect(currentLink(own.window)).toContain("layer=2");
    replaceHash(own.window, "#llmdebug");
    expect(host.replaceState).toHaveBeenCalledWith({ kept: true }, "", "/tb/?a=1#llmdebug");
    expect(own.replaceState).not.toHaveBeenCalled();
  });

  it("is our own when the host is of another origin", () => {
    const foreign = {
      get location(): Location {
        throw new Error("cross-origin");
      },
    } as unknown as Window;
    const own = fakeWindow("#x", foreign);
    expect(hashWindow(own.window)).toBe(own.window);
    replaceHash(own.window, "#y");
    expect(own.replaceState).toHaveBeenCalledOnce();
  });

  it("is not written again when equal, and a browser's refusal is survived", () => {
    const own = fakeWindow("#x");
    replaceHash(own.window, "#x");
    expect(own.replaceState).not.toHaveBeenCalled();
    own.replaceState.mockImplementation(() => {
      throw new Error("too many calls");
    });
    expect(() => replaceHash(own.window, "#y")).not.toThrow();
  });
});
