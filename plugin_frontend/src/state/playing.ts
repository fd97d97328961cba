// How the player plays: its part of the selection and of the URL.

export interface PlayingState {
  /** Steps per second. */
  readonly speed: number;
  /** From the last step on to the first. */
  readonly loop: boolean;
}

export const SPEEDS: readonly number[] = [2, 5, 10];

export const DEFAULT_PLAYING: PlayingState = { speed: 5, loop: true };

/** `10`, `once` or `10;once`; null = as usual. */
export function writePlaying({ speed, loop }: PlayingState): string | null {
  const parts = [...(speed === DEFAULT_PLAYING.speed ? [] : [String(speed)]), ...(loop ? [] : ["once"])];
  return parts.length === 0 ? null : parts.join(";");
}

export function readPlaying(text: string): PlayingState {
  const parts = text.slice(0, 64).split(";");
  return {
    speed: SPEEDS.find((speed) => parts.includes(String(speed))) ?? DEFAULT_PLAYING.speed,
    loop: !parts.includes("once"),
  };
}
