// How the player plays: its part of the selection and of the URL.

export interface PlayingState {
  /** Steps per second. */
  readonly speed: number;
}

export const SPEEDS: readonly number[] = [2, 5, 10];

export const DEFAULT_PLAYING: PlayingState = { speed: 5 };

export const writePlaying = ({ speed }: PlayingState): string | null => (speed === DEFAULT_PLAYING.speed ? null : String(speed));

export const readPlaying = (text: string): PlayingState => ({
  speed: SPEEDS.find((speed) => String(speed) === text) ?? DEFAULT_PLAYING.speed,
});
