/** The one place that asks what day it is; only what expires depends on it. In UTC, so that it is the same everywhere. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}
